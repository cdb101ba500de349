/* SPDX-License-Identifier: Apache-2.0 */
/* The registers: dates that have passed, and, if the site wants it, missing fields. */
#include <string.h>

#include "policy/check/check.h"
#include "policy/check/ledger.h"
#include "policy/check/meant.h"
#include "policy/check/names.h"
#include "policy/check/say.h"
#include "policy/check/windows.h"

void hint_date(struct check *k, struct diag *g, const char *text, enum message form)
{
	const char *meant = k->d->errors <= DIAG_SHOWN ? meant_date(k->a, text, form == MP_HINT_UNTIL) : NULL;

	if (meant != NULL)
		diag_hint(k->d, g, MP_HINT_WRITE, meant);
	else
		diag_hint(k->d, g, form);
}

const struct due due_review = { "policy.review_overdue", MP_REVIEW_OVERDUE, MP_HINT_REVIEW_OVERDUE };
const struct due due_support = { "policy.support_past", MP_SUPPORT_PAST, MP_HINT_SUPPORT_PAST };

static bool judged_before(struct check *k, struct srcpos at)
{
	for (size_t i = 0; i < DATED; i++)
		if (k->dated[i].line == at.line && k->dated[i].column == at.column && k->dated[i].file == at.file)
			return true;
	k->dated[k->n_dated++ % DATED] = at;
	return false;
}

const char *ledger_day(struct check *k, const struct ast_node *node, const struct due *what, struct object o)
{
	uint64_t day;

	if (node == NULL || judged_before(k, node->value_at))
		return node != NULL ? node->string : "";
	if (!date_parse(node->string, &day)) {
		k->harmless++;
		hint_date(k, check_value(k, SEV_ERROR, "policy.date", node, MP_DATE_BAD, o, node->string), node->string,
			  MP_HINT_DATE);
	} else if (day + 86400 <= k->now)
		check_hinted(k, SEV_WARNING, what->code, node, what->past, o, node->string, what->hint);
	return node->string;
}

/* ---- missing fields -------------------------------------------------------------------------- */

#define FIELDS 4u
#define NAMED 4u /* objects that one report of missing fields names */

/* The register's fields of one object. */
struct entry {
	const char *name;
	struct srcpos at;
	const char *fields[FIELDS]; /* "" = missing; NULL = not needed */
};

static bool entry_zone(const struct model *m, size_t i, struct entry *ret)
{
	const struct model_zone *z = &m->zones[i];

	*ret = (struct entry){ z->name, z->at, { z->owner, z->purpose, z->approved_by, z->review_by } };
	return !z->self;
}

static bool entry_line(const struct model *m, size_t i, struct entry *ret)
{
	const struct model_zone *z = &m->zones[i];

	*ret = (struct entry){ z->name, z->at, { z->n_lines > 0 ? "some" : "" } };
	return z->class == CLASS_EXTERNAL;
}

static bool entry_asset(const struct model *m, size_t i, struct entry *ret)
{
	const struct model_asset *a = &m->assets[i];

	*ret = (struct entry){ a->name, a->at, { a->model, a->place, a->support_until } };
	return true;
}

static bool entry_conduit(const struct model *m, size_t i, struct entry *ret)
{
	const struct model_conduit *c = &m->conduits[i];

	*ret = (struct entry){ c->name, c->at, { c->approved_by } };
	return true;
}

struct ledger_register {
	enum message name;
	/* false: the object needs no entry */
	bool (*entry)(const struct model *m, size_t i, struct entry *ret);
	size_t n;
	const char *keys[FIELDS], *example;
};

static unsigned missing(const struct entry *e)
{
	unsigned bits = 0;

	for (unsigned f = 0; f < FIELDS; f++)
		bits |= e->fields[f] != NULL && e->fields[f][0] == '\0' ? 1u << f : 0;
	return bits;
}

/* Makes one report of all entries that lack exactly these fields; it points at the first entry. */
static void say_missing(struct check *k, const struct ledger_register *r, unsigned bits)
{
	const char *names = "", *keys = "";
	struct srcpos at = { 0 };
	struct entry e;
	size_t n = 0;

	for (unsigned f = 0; f < FIELDS && keys != NULL; f++)
		if ((bits >> f & 1) != 0)
			keys = arena_printf(k->a, "%s%s%s", keys, keys[0] != '\0' ? ", " : "", r->keys[f]);
	for (size_t i = 0; i < r->n; i++) {
		if (!r->entry(k->m, i, &e) || missing(&e) != bits)
			continue;
		if (n == 0)
			at = e.at;
		if (n++ < NAMED && names != NULL)
			names = arena_printf(k->a, "%s%s%s", names, n > 1 ? ", " : "", e.name);
	}
	if (n > NAMED && names != NULL)
		names = arena_printf(k->a, "%s (+%zu)", names, n - NAMED);
	if (n == 0 || names == NULL || keys == NULL)
		return;
	k->harmless++;
	diag_hint(
		k->d,
		check_say(k, SEV_ERROR, "policy.ledger", at, 1, MP_LEDGER, (struct object){ r->name, "" }, keys, names),
		MP_HINT_LEDGER, r->example);
}

/* A policy without conduits is only a beginning. */
static void say_unkept(struct check *k)
{
	bool strict = k->m->strict_ledger;

	if (k->unkept == NULL || k->m->n_conduits == 0)
		return;
	k->harmless += strict;
	check_hinted(k, strict ? SEV_ERROR : SEV_WARNING, "policy.retention_absent", k->unkept, MP_RETENTION_ABSENT,
		     (struct object){ MP_OBJ_SITE, "" }, "", MP_HINT_RETENTION_ABSENT);
}

void check_ledger(struct check *k)
{
	const struct model *m = k->m;
	const struct ledger_register all[] = {
		{ MP_REGISTER_ZONES,
		  entry_zone,
		  m->n_zones,
		  { "owner", "purpose", "approved_by", "review_by" },
		  "purpose = \"cranes\"; approved_by = \"CISO\"; review_by = \"2027-03-31\";" },
		{ MP_REGISTER_ASSETS,
		  entry_asset,
		  m->n_assets,
		  { "model", "place", "support_until" },
		  "model = \"FX5U-32M\"; place = \"RTG 1, E-house\"; support_until = \"2032-03-31\";" },
		{ MP_REGISTER_CONDUITS, entry_conduit, m->n_conduits, { "approved_by" }, "approved_by = \"CISO\";" },
		{ MP_REGISTER_LINES,
		  entry_line,
		  m->n_zones,
		  { "lines" },
		  "lines = ( { carrier = \"NTT\"; service = \"fibre, 1 Gbit/s\"; place = \"gate house\"; } );" },
	};

	say_unkept(k);
	for (size_t r = 0; m->strict_ledger && r < sizeof(all) / sizeof(all[0]); r++)
		for (unsigned bits = (1u << FIELDS) - 1; bits > 0; bits--)
			say_missing(k, &all[r], bits);
}

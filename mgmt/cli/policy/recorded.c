/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/policy/means.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/evaluate.h"
#include "mgmt/state/read.h"
#include "mgmt/words/command.h"
#include "policy/ir/evaluate.h"
#include "policy/ir/ir.h"
#include "policy/ir/moment.h"

/* A record turned back into operations. */
struct asked {
	const struct vocabulary *v;
	const struct function_info *f; /* NULL: the code has no name */
	struct operation o;	       /* without the values that it wrote */
	/* the addresses are exact: each operation touched all of them, because only equal
	 * operations were counted together */
	bool exact;
	bool cut;   /* there are more addresses than the record holds */
	bool named; /* an address names a thing, which may be a part of another */
	bool wrote;
	uint64_t low, high;
};

static bool end_of(const json_t *e, const char *key, struct addr *ret, uint16_t *ret_port)
{
	const char *text = js(e, key), *port = strrchr(text, ':');
	bool bracket = text[0] == '[';
	char address[ADDR_TEXT + 2];
	unsigned long number = port != NULL ? strtoul(port + 1, NULL, 10) : 0;
	size_t n = port != NULL ? (size_t)(port - text) : 0;

	if (n <= 2u * bracket || n >= sizeof(address) || number > UINT16_MAX)
		return false;
	memcpy(address, text + bracket, n - 2u * bracket);
	address[n - 2u * bracket] = '\0';
	*ret_port = (uint16_t)number;
	return addr_parse(address, ret);
}

static bool place_of(const struct vocabulary *v, const json_t *e, uint8_t *ret)
{
	const char *key = js(e, "space");

	*ret = SPACE_NONE;
	for (unsigned i = 0; i < v->n_spaces && *key != '\0'; i++)
		if (strcmp(v->spaces[i].key, key) == 0)
			*ret = (uint8_t)i;
	return *key == '\0' || *ret != SPACE_NONE;
}

static bool asked_of(const json_t *e, struct asked *ret)
{
	const json_t *wrote = json_object_get(e, "wrote");

	*ret = (struct asked){ .v = command_words(e) };
	if (ret->v == NULL || json_object_get(e, "function") == NULL || ju(e, "records") > 1 ||
	    !place_of(ret->v, e, &ret->o.space))
		return false;
	ret->o.service = (uint32_t)ju(e, "function");
	ret->f = function_by_code(ret->v, ret->o.service);
	for (unsigned i = 0; i < ret->v->n_targets; i++)
		ret->o.targets[i] = (uint32_t)ju(e, ret->v->targets[i].one);
	ret->exact = js_is(e, "places", "exact");
	if (ret->o.space != SPACE_NONE) {
		ret->o.first = ju(e, "address");
		ret->o.count = ju(e, "quantity");
		ret->cut = ret->o.count >= UINT32_MAX;
		ret->named = ret->v->spaces[ret->o.space].named;
		if (ret->o.count == 0 || ret->o.count > INT64_MAX - ret->o.first)
			return false;
	}
	/* A function of any use, such as opening a session, has no class. */
	ret->o.setup = ret->f != NULL && ret->f->classes == 0;
	ret->wrote = wrote != NULL;
	ret->low = ju(wrote, "low");
	ret->high = ju(wrote, "high");
	return true;
}

/* The targets that may mean several devices (bit n: target n). */
static uint8_t perhaps_broadcast(const struct asked *a)
{
	uint8_t bits = 0;

	for (unsigned i = 0; i < a->v->n_targets; i++) {
		const struct target_info *t = &a->v->targets[i];
		uint32_t number = a->o.targets[i];

		if ((number == 0 || number == t->max) && !(t->usual_known && number == t->usual))
			bits |= (uint8_t)(1u << i);
	}
	return bits;
}

static enum reason ruled(const struct allowance *j, const struct operation *o, const struct command_row **ret_row)
{
	struct ruling r;

	evaluate(j, o, 1, &r);
	if (ret_row != NULL)
		*ret_row = r.row;
	return r.reason;
}

static struct values written(uint64_t v)
{
	return (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
}

/* Judges as strictly as possible where the record lacks something: if this passes, all its
 * operations do. */
static enum reason at_worst(const struct allowance *j, const struct asked *a)
{
	struct operation o = a->o;
	const struct command_row *row;
	enum reason r;

	o.place_unknown = a->cut || (o.space == SPACE_NONE &&
				     (a->f == NULL || a->f->spaces != 0 || (a->f->untold & UNTOLD_PLACE) != 0));
	o.broadcast = perhaps_broadcast(a);
	if (a->wrote && !(o.space < j->v->n_spaces && j->v->spaces[o.space].value_sizes != 0))
		o.values = (struct values){ .form = VALUES_BETWEEN, .n = 2, .lo = a->low, .hi = a->high };
	else if (a->wrote || a->f == NULL || (a->f->classes & CLASS_WRITE) != 0 || (a->f->untold & UNTOLD_VALUE) != 0)
		o.values.form = VALUES_UNKNOWN;
	r = ruled(j, &o, &row);
	if (r == R_ALLOWED && a->wrote && row != NULL && !row->values.any &&
	    !number_covers(j->table, &row->values, a->low, a->high))
		return j->v->refused[REFUSED_VALUE];
	return r;
}

/* Judges as generously as possible where the record lacks something: if this is refused, all its
 * operations are. */
static enum reason at_best(const struct allowance *j, const struct asked *a)
{
	struct operation o = a->o;

	if (o.space != SPACE_NONE && (!a->exact || a->named || a->cut)) {
		o.space = SPACE_NONE;
		o.first = o.count = 0;
	}
	o.place_unknown = a->o.space == SPACE_NONE && a->f != NULL && (a->f->untold & UNTOLD_PLACE) != 0;
	o.idle = a->f != NULL && a->f->spaces == 0 && (a->f->untold & UNTOLD_PLACE) == 0 ? perhaps_broadcast(a) : 0;
	if (a->wrote && a->low == a->high)
		o.values = written(a->low);
	return ruled(j, &o, NULL);
}

/* Some operations are known one by one: one touched the first address, one the last, one wrote the
 * least value, one the largest. */
static enum reason at_an_edge(const struct allowance *j, const struct asked *a)
{
	enum reason r = R_ALLOWED;

	for (unsigned edge = 0; edge < 2 && r == R_ALLOWED && a->o.space != SPACE_NONE && !a->named; edge++) {
		struct operation o = a->o;

		o.first += edge == 0 || a->cut ? 0 : a->o.count - 1u;
		o.count = 1;
		r = ruled(j, &o, NULL);
	}
	for (unsigned edge = 0; edge < 2 && r == R_ALLOWED && a->wrote; edge++) {
		struct operation o = a->o;

		o.values = written(edge == 0 ? a->low : a->high);
		if (!a->exact || a->named || a->cut)
			o.space = SPACE_NONE;
		r = ruled(j, &o, NULL);
	}
	return r;
}

/* The permit of the two hosts at that port; NULL: none. */
static const struct ir_cell *cell_of(const struct ir *ir, const json_t *e, uint64_t now)
{
	struct question q = { .now = now };
	uint16_t unused;

	q.l4proto = js_is(e, "transport", "udp") ? IPPROTO_UDP : IPPROTO_TCP;
	if (!end_of(e, "client", &q.source, &unused) || !end_of(e, "server", &q.destination, &q.port))
		return NULL;
	return evaluate_ir(ir, &q);
}

bool recorded_judge(struct ir *ir, const json_t *e, uint64_t now, struct recorded *ret)
{
	struct allowance j = { .table = &ir->table };
	const struct ir_cell *cell;
	struct addr unused;
	uint16_t port;
	struct asked a;
	enum reason r;

	*ret = (struct recorded){ .operations = ju(e, "count"), .sessions = ju(e, "sessions"), .reason = R_ALLOWED };
	if (!asked_of(e, &a) || !end_of(e, "client", &unused, &port) || !end_of(e, "server", &unused, &port))
		return false;
	ir_follow(ir, now);
	cell = cell_of(ir, e, now);
	if (cell == NULL) {
		ret->reason = R_NO_CONDUIT;
		ret->least = ret->most = ret->operations;
		return true;
	}
	if (ir->permits[cell->permit].lane == LANE_NONE || ir->permits[cell->permit].observe)
		return true;
	j.v = a.v;
	j.permit = &ir->table.permits[cell->permit];
	if (!protocols_have(&ir->permits[cell->permit].protocols, a.v->protocol))
		r = R_WRONG_PROTOCOL;
	else if (js_is(e, "direction", "s2c"))
		r = R_ASKED_BACK;
	else
		r = at_best(&j, &a);
	if (r != R_ALLOWED) {
		ret->reason = r;
		ret->least = ret->most = ret->operations;
		return true;
	}
	r = at_worst(&j, &a);
	if (r == R_ALLOWED)
		return true;
	ret->reason = r;
	ret->most = ret->operations;
	if (at_an_edge(&j, &a) != R_ALLOWED && ret->operations > 0)
		ret->least = 1;
	return true;
}

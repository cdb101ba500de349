/* SPDX-License-Identifier: Apache-2.0 */
/* Conduits: who may reach whom by which services, and what happens when the inspector does not
 * answer. */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/duration.h"
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/ledger.h"
#include "policy/check/meant.h"
#include "policy/check/names.h"
#include "policy/check/port.h"
#include "policy/check/ranges.h"
#include "policy/check/say.h"
#include "policy/check/windows.h"
#include "policy/check/written.h"

#define CONDUIT_NAME_MAX 200u
#define LABEL_BYTES 63u /* RFC 1035, 2.3.4 */

/* The warnings of policy/compile/exposure.c about conduits. */
static const char *const acceptable[] = {
	"policy.outside_reaches_unpatchable",
	"policy.everything_from_outside",
	"policy.clear_text_from_outside",
	"policy.outside_transit",
	"policy.outside_always",
	"policy.ftp_data",
	"policy.data_ports",
	"policy.undecided_bytes",
	"policy.all_commands_to_ot",
	"policy.unjudged_when_down",
	"policy.hold_forced",
	"policy.pick_up_forced",
};

const struct model_zone *check_not_self(struct check *k, const struct ast_node *node, const struct model_zone *z,
					struct object o)
{
	if (z == NULL || !z->self)
		return z;
	check_hinted(k, SEV_ERROR, "policy.reserved", node, MP_SELF_CONDUIT, o, "self", MP_HINT_SELF_CONDUIT);
	return NULL;
}

static const struct model_zone *conduit_zone(struct check *k, const struct ast_node *node, struct object o)
{
	if (node == NULL)
		return NULL;
	return check_not_self(k, node, names_need(k, &k->zones, node, MP_NO_ZONE, "policy.unknown_name", o), o);
}

/* Whether the text is an address or was meant as one: no asset has such a name. */
static bool is_like_address(struct check *k, const char *text)
{
	return strpbrk(text, ":/") != NULL || (text[0] >= '0' && text[0] <= '9' && strchr(text, '.') != NULL) ||
	       (k->d->errors <= DIAG_SHOWN && meant_address(k->a, false, text) != NULL);
}

/* Reads one word of `sources` or `destinations`: an address of the zone, or one of its assets. */
static void add_end(struct check *k, const struct ast_node *node, const struct model_zone *z, struct object o,
		    struct ranges *r)
{
	const struct model_asset *asset = names_find(&k->assets, node->string);
	struct addr_range one;
	unsigned length = 0;
	struct diag *g;

	if (asset != NULL) {
		for (size_t i = 0; i < asset->n_ranges; i++)
			ranges_add(k, r, &asset->ranges[i]);
		if (z == NULL || asset->zone == NULL || asset->zone == z)
			return;
		g = check_say(k, SEV_ERROR, "policy.outside_zone", node->value_at, node->value_width, MP_END_OTHER_ZONE,
			      o, node->string, asset->zone->name);
		g->also = asset->at;
		diag_hint(k->d, g, MP_HINT_END_ZONE, z->name);
		return;
	}
	if (!is_like_address(k, node->string)) {
		if (meant_everything(meant_plain(k->a, node->string)) ||
		    (z != NULL && strcmp(node->string, z->name) == 0)) {
			check_hinted(k, SEV_ERROR, "policy.unknown_name", node, MP_NO_ASSET, o, node->string,
				     MP_HINT_EMPTY_ENDS);
		} else {
			names_need(k, &k->assets, node, MP_NO_ASSET, "policy.unknown_name", o);
		}
		return;
	}
	if (!address_of(k, node, o, &one))
		return;
	ranges_add(k, r, &one);
	if (z == NULL || k->unsure[z->index] || ranges_hold(z->ranges, z->n_ranges, &one) ||
	    check_lone_network(k, z, &one))
		return;
	g = check_say(k, SEV_ERROR, "policy.outside_zone", node->value_at, node->value_width, MP_END_OUTSIDE, o,
		      node->string, z->name);
	g->also = z->at;
	if (addr_range_is_prefix(&one, &length) && length == 0)
		diag_hint(k->d, g, MP_HINT_EMPTY_ENDS);
}

static void conduit_end(struct check *k, const struct ast_node *list, const struct model_zone *z, struct object o,
			struct addr_range **ret, size_t *ret_n)
{
	struct ranges r = { 0 };

	if (list == NULL) {
		*ret = z != NULL ? z->ranges : NULL;
		*ret_n = z != NULL ? z->n_ranges : 0;
		return;
	}
	/* nearly always a range for each word */
	r.list = arena_array(k->a, list->n, sizeof(*r.list));
	r.room = r.list != NULL ? list->n : 0;
	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING, o)) != NULL;)
		add_end(k, c, z, o, &r);
	check_not_empty(k, list, o, MP_HINT_EMPTY_ENDS);
	ranges_merge(&r);
	*ret = r.list;
	*ret_n = r.n;
}

static int by_pointer(const void *pa, const void *pb)
{
	const struct model_service *const *a = pa, *const *b = pb;

	return *a < *b ? -1 : *a > *b;
}

static void conduit_services(struct check *k, const struct ast_node *list, struct model_conduit *c, struct object o)
{
	size_t n = 0;

	if (list != NULL)
		c->n_services = check_services_named(k, list, o, &c->services);
	if (c->n_services == 0)
		return;
	/* In the order of the services, without duplicates. */
	qsort(c->services, c->n_services, sizeof(void *), by_pointer);
	for (size_t i = 1; i < c->n_services; i++)
		if (c->services[i] != c->services[n])
			c->services[++n] = c->services[i];
	c->n_services = n + 1;
}

static bool is_inspected(const struct model_conduit *c)
{
	for (size_t i = 0; i < c->n_services; i++)
		if (protocol_info(c->services[i]->protocol)->depth != DEPTH_TRANSPORT)
			return true;
	return false;
}

/* Sets the failure settings of an observing conduit where the text has none. Warns of `hold` beside
 * when_midstream = "reset", unless neither has an effect: without inspection, for a shadow, and
 * after the conduit's end. */
static void conduit_failure(struct check *k, const struct ast_node *const *v, struct model_conduit *c, struct object o)
{
	/* An observing conduit must not stop traffic, not even when its inspection fails. */
	if (c->observe && v[C_WHEN_DOWN] == NULL)
		c->when_down = FAIL_OPEN;
	if (c->observe && v[C_WHEN_OVERLOADED] == NULL)
		c->when_overloaded = FAIL_OPEN;
	if (!is_inspected(c) || c->shadow || conduit_past(c, k->now))
		return;
	if (c->when_midstream == MID_RESET && (c->when_down == FAIL_HOLD || c->when_overloaded == FAIL_HOLD)) {
		const struct ast_node *hold = c->when_down == FAIL_HOLD ? v[C_WHEN_DOWN] : v[C_WHEN_OVERLOADED];
		struct diag *g;

		if (hold == NULL)
			return;
		g = check_value(k, SEV_WARNING, "policy.hold_reset", hold, MP_HOLD_RESET, o, hold->name);
		if (v[C_WHEN_MIDSTREAM] != NULL)
			g->also = v[C_WHEN_MIDSTREAM]->value_at;
	}
}

static bool same_place(struct srcpos a, struct srcpos b)
{
	return a.file == b.file && a.line == b.line && a.column == b.column;
}

/* Reads a span of time, if given: heard_within, or the limits of sessions. */
static void conduit_span(struct check *k, const struct ast_node *node, uint32_t least, uint32_t most, uint32_t *ret,
			 struct object o)
{
	const char *meant;
	struct diag *g;
	uint64_t seconds;

	if (node == NULL)
		return;
	if (!duration_parse(node->string, UINT64_MAX, &seconds)) {
		meant = meant_span(k->a, node->string);
		g = check_value(k, SEV_ERROR, "policy.range", node, MP_HEARD_BAD, o, node->string);
		if (meant != NULL)
			diag_hint(k->d, g, MP_HINT_WRITE, meant);
	} else if (seconds < least || seconds > most) {
		g = check_say(k, SEV_ERROR, "policy.range", node->value_at, node->value_width, MP_SPAN_RANGE, o,
			      node->name, node->string);
		diag_hint(k->d, g, MP_HINT_SPAN_RANGE, least, most / 86400u);
	} else {
		*ret = (uint32_t)seconds;
	}
}

/* An exception ends by itself, is approved by a second person, and gets a report at its end. */
static void conduit_exception(struct check *k, const struct ast_node *node, struct model_conduit *c, struct object o)
{
	const struct ast_node *v[KEYS(exception_keys)];
	struct ir_exception *x = node != NULL ? arena_alloc(k->a, sizeof(*x)) : NULL;
	size_t errors;

	if (x == NULL)
		return;
	*x = (struct ir_exception){ "", "", "", "", "", "", "" };
	if (!keys_read(k, node, exception_keys, KEYS(exception_keys), o, x, v))
		return;
	c->exception = x;
	errors = k->d->errors;
	if (c->until == 0)
		check_value(k, SEV_ERROR, "policy.exception_endless", node, MP_EXCEPTION_ENDLESS, o, "");
	if (v[EXCEPTION_APPROVED] != NULL && strcmp(x->applicant, x->approved_by) == 0)
		check_value(k, SEV_ERROR, "policy.exception_own", v[EXCEPTION_APPROVED], MP_EXCEPTION_OWN, o,
			    x->applicant);
	k->harmless += k->d->errors - errors;
	if (conduit_past(c, k->now) && x->report[0] == '\0')
		check_hinted(k, SEV_WARNING, "policy.report_owed", node, MP_REPORT_OWED, o, x->applicant,
			     MP_HINT_REPORT_OWED);
}

static void conduit_accepts(struct check *k, const struct ast_node *list, struct model_conduit *c, struct object o)
{
	size_t n = sizeof(acceptable) / sizeof(acceptable[0]);

	if (list == NULL)
		return;
	c->accepts = arena_array(k->a, list->n, sizeof(c->accepts[0]));
	for (const struct ast_node *e = NULL;
	     c->accepts != NULL && (e = list_next(k, list, e, AST_GROUP, o)) != NULL;) {
		const struct ast_node *v[KEYS(accept_keys)];
		struct ir_accept *one = &c->accepts[c->n_accepts];
		size_t i = 0;

		*one = (struct ir_accept){ .reason = "" };
		if (!keys_read(k, e, accept_keys, KEYS(accept_keys), o, one, v) || v[ACCEPT_WARNING] == NULL)
			continue;
		one->warning = v[ACCEPT_WARNING]->string;
		one->at = v[ACCEPT_WARNING]->value_at;
		while (i < n && strcmp(one->warning, acceptable[i]) != 0)
			i++;
		for (size_t j = 0; j < c->n_accepts && i < n && !one->used; j++) {
			one->used = strcmp(c->accepts[j].warning, one->warning) == 0;
			if (one->used)
				check_value(k, SEV_WARNING, "policy.no_effect", v[ACCEPT_WARNING], MP_TWICE, o,
					    one->warning);
		}
		if (i == n)
			check_near(k,
				   check_value(k, SEV_ERROR, "policy.unknown_word", v[ACCEPT_WARNING], MP_NO_WARNING, o,
					       one->warning),
				   one->warning, acceptable, n);
		else
			c->n_accepts++;
	}
}

static unsigned families(const struct addr_range *r, size_t n)
{
	unsigned ret = 0;

	for (size_t i = 0; i < n; i++)
		ret |= r[i].lo.family == 4 ? 1u : 2u;
	return ret;
}

/* Of ICMP types, IPv6 only has those with the same meaning there (see port_in_family). */
static bool is_of_ipv4(const struct model_service *s)
{
	uint8_t l4proto;
	struct number_range r[2];

	for (size_t i = 0; i < s->n_ports; i++)
		if (port_in_family(&s->ports[i], 6, &l4proto, r) > 0)
			return false;
	return true;
}

/* Warns of a conduit that no packet can use; it does no harm. */
static void report_unusable(struct check *k, const struct model_conduit *c, struct object o)
{
	unsigned from = families(c->sources, c->n_sources), to = families(c->destinations, c->n_destinations);

	for (size_t i = 0; (from & to) == 2 && i < c->n_services; i++)
		if (is_of_ipv4(c->services[i]))
			check_say(k, SEV_WARNING, "policy.no_effect", c->at, 1, MP_ICMP_OF_IPV4, o,
				  c->services[i]->name, "IPv6");
	if (from == 0 || to == 0 || (from & to) != 0)
		return;
	check_say(k, SEV_WARNING, "policy.no_effect", c->at, 1, MP_NO_FAMILY, o, from == 1 ? "IPv4" : "IPv6",
		  to == 1 ? "IPv4" : "IPv6");
}

/* Whether the conduit has TLS sessions whose client hello is seen. */
static bool has_tls(const struct model_conduit *c)
{
	for (size_t i = 0; i < c->n_services; i++)
		if (c->services[i]->protocol == PROTO_TLS)
			return true;
	return false;
}

/* The setting is for TLS sessions only; other sessions show no hello. */
static void report_no_tls(struct check *k, const struct ast_node *said, const struct model_conduit *c, struct object o)
{
	if (said != NULL && c->deny_weak_tls && !has_tls(c))
		check_value(k, SEV_WARNING, "policy.no_effect", said, MP_WEAK_TLS_NONE, o, said->string);
}

/* Letters, digits, '-' and '_'; only '_' may stand at an end. */
static bool is_label(const char *p, size_t n)
{
	static const char of_labels[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

	return n > 0 && n <= LABEL_BYTES && strspn(p, of_labels) >= n && p[0] != '-' && p[n - 1] != '-';
}

/* A server name as in a client's hello (RFC 6066, 3): no address, no dot at the end. A leading "*."
 * stands for one label in front of at least two others. */
static bool is_server_name(const char *text)
{
	bool wide = strncmp(text, "*.", 2) == 0;
	const char *at = wide ? text + 2 : text, *last;
	unsigned labels = 0;

	if (strlen(text) > NAME_BYTES)
		return false;
	for (size_t n;; at += n + 1) {
		last = at;
		n = strcspn(at, ".");
		if (!is_label(at, n))
			return false;
		labels++;
		if (at[n] == '\0')
			break;
	}
	return strspn(last, "0123456789") < strlen(last) && (!wide || labels > 1);
}

static const char *in_lower_case(struct arena *a, const char *text)
{
	char *lower = arena_printf(a, "%s", text);

	for (char *p = lower; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	return lower;
}

static void report_name(struct check *k, const struct ast_node *node, struct object o)
{
	struct diag *g = check_value(k, SEV_ERROR, "policy.server_name", node, MP_SERVER_NAME, o, node->string);
	const char *plain = meant_plain(k->a, node->string), *lower = plain != NULL ? in_lower_case(k->a, plain) : NULL;

	if (lower != NULL && is_server_name(lower))
		diag_hint(k->d, g, MP_HINT_WRITE, arena_printf(k->a, "\"%s\"", lower));
	else
		diag_hint(k->d, g, MP_HINT_SERVER_NAME, NAME_BYTES);
}

static int by_server_name(const void *pa, const void *pb)
{
	const struct ir_server *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

/* Reads the server names that the conduit's TLS sessions may ask for. */
static void conduit_names(struct check *k, const struct ast_node *list, struct model_conduit *c, struct object o)
{
	struct diag *g;

	if (list == NULL)
		return;
	check_not_empty(k, list, o, MP_HINT_EMPTY_NAMES);
	if (list->n > NAMES_MAX) {
		g = check_value(k, SEV_ERROR, "policy.range", list, MP_MANY_NAMES, o, list->name);
		diag_hint(k->d, g, MP_HINT_MANY_NAMES, NAMES_MAX);
		return;
	}
	c->servers = arena_array(k->a, list->n, sizeof(c->servers[0]));
	for (const struct ast_node *e = NULL;
	     c->servers != NULL && (e = list_next(k, list, e, AST_STRING, o)) != NULL;) {
		bool twice = false;

		for (size_t i = 0; i < c->n_servers && !twice; i++)
			twice = strcmp(c->servers[i].name, e->string) == 0;
		if (!is_server_name(e->string))
			report_name(k, e, o);
		else if (twice)
			check_value(k, SEV_WARNING, "policy.no_effect", e, MP_TWICE, o, e->string);
		else
			c->servers[c->n_servers++].name = e->string;
	}
	if (c->servers != NULL && c->n_servers > 1)
		qsort(c->servers, c->n_servers, sizeof(c->servers[0]), by_server_name);
}

static void report_no_names(struct check *k, const struct ast_node *said, const struct model_conduit *c,
			    struct object o)
{
	if (said != NULL && !has_tls(c))
		check_value(k, SEV_WARNING, "policy.no_effect", said, MP_NAMES_NONE, o, said->name);
}

/* A conduit's name may have parts between '/', because an expanded conduit gets the names of what
 * it was expanded for. */
static void check_name(struct check *k, const char *name, const struct ast_node *node)
{
	struct diag *g;
	size_t n;

	if (strlen(name) > CONDUIT_NAME_MAX) {
		g = diag_add(k->d, SEV_ERROR, "policy.name", node->value_at, MP_NAME_CHECK, name);
		g->width = node->value_width;
		diag_hint(k->d, g, MP_HINT_NAME_PARTS, CONDUIT_NAME_MAX);
		return;
	}
	for (; (n = strcspn(name, "/")) > 0 && name[n] == '/'; name += n + 1) {
		const char *one = arena_strndup(k->a, name, n);

		if (one == NULL || !name_check(k, one, node->value_at, node->value_width))
			return;
	}
	name_check(k, n > 0 ? name : node->string, node->value_at, node->value_width);
}

static void one_conduit(struct check *k, const struct ast_node *node, struct model_conduit *c)
{
	const struct ast_node *v[KEYS(conduit_keys)], *named = node_member(node, "name");
	bool has_name = named != NULL && named->kind == AST_STRING;
	struct object o = { has_name ? MP_OBJ_CONDUIT : MP_OBJ_CONDUIT_NTH, NULL };
	size_t errors = k->d->errors;

	o.name = has_name ? named->string : arena_printf(k->a, "%u", c->index + 1);
	*c = (struct model_conduit){ .name = "",
				     .label = "",
				     .purpose = "",
				     .owner = "",
				     .approved_by = "",
				     .review_by = "",
				     .criticality = CRIT_SUPPORT,
				     .when_down = FAIL_CLOSED,
				     .when_overloaded = FAIL_CLOSED,
				     .when_midstream = MID_RESET,
				     .index = c->index,
				     .at = node->at };
	if (!keys_read(k, node, conduit_keys, KEYS(conduit_keys), o, c, v))
		return;
	if (v[C_NAME] != NULL) {
		c->name = v[C_NAME]->string;
		check_name(k, c->name, v[C_NAME]);
	}
	c->from = conduit_zone(k, v[C_FROM], o);
	c->to = conduit_zone(k, v[C_TO], o);
	conduit_end(k, v[C_SOURCES], c->from, o, &c->sources, &c->n_sources);
	conduit_end(k, v[C_DESTINATIONS], c->to, o, &c->destinations, &c->n_destinations);
	conduit_services(k, v[C_SERVICES], c, o);
	if (c->shadow && !c->observe)
		check_value(k, SEV_ERROR, "policy.shadow", v[C_SHADOW], MP_SHADOW_ENFORCE, o, "shadow");
	c->review_by = ledger_day(k, v[C_REVIEW_BY], &due_review, o);
	if (v[C_UNTIL] != NULL)
		end_moment(k, v[C_UNTIL], MP_UNTIL_PAST, o, &c->until);
	conduit_when(k, v[C_WITHIN], v[C_STARTS], c, o);
	if (v[C_DOOR] != NULL)
		c->door = names_need(k, &k->doors, v[C_DOOR], MP_NO_DOOR, "policy.unknown_name", o);
	conduit_span(k, v[C_HEARD_WITHIN], HEARD_LEAST, HEARD_MOST, &c->heard_within, o);
	conduit_span(k, v[C_IDLE], LIMIT_LEAST, LIMIT_MOST, &c->idle, o);
	conduit_span(k, v[C_SESSION], LIMIT_LEAST, LIMIT_MOST, &c->session, o);
	if (c->idle != 0 && c->session != 0 && c->idle >= c->session)
		check_hinted(k, SEV_WARNING, "policy.no_effect", v[C_IDLE], MP_IDLE_LONG, o, "idle", MP_HINT_IDLE_LONG);
	conduit_failure(k, v, c, o);
	conduit_accepts(k, v[C_ACCEPT], c, o);
	conduit_exception(k, v[C_EXCEPTION], c, o);
	conduit_names(k, v[C_NAMES], c, o);
	if (v[C_WEAK_TLS] == NULL)
		c->deny_weak_tls = k->m->deny_weak_tls && has_tls(c);
	report_no_tls(k, v[C_WEAK_TLS], c, o);
	report_no_names(k, v[C_NAMES], c, o);
	/* after an error in the conduit this warning would only distract */
	if (k->d->errors == errors)
		report_unusable(k, c, o);
}

static int by_name(const void *pa, const void *pb)
{
	const struct model_conduit *a = *(const struct model_conduit *const *)pa,
				   *b = *(const struct model_conduit *const *)pb;
	int c = strcmp(a->name, b->name);

	return c != 0 ? c : a->index < b->index ? -1 : a->index > b->index;
}

static void report_same_names(struct check *k)
{
	const struct model_conduit **sorted = arena_array(k->a, k->m->n_conduits, sizeof(void *));

	if (sorted == NULL)
		return;
	for (size_t i = 0; i < k->m->n_conduits; i++)
		sorted[i] = &k->m->conduits[i];
	qsort(sorted, k->m->n_conduits, sizeof(void *), by_name);
	for (size_t i = 1; i < k->m->n_conduits; i++) {
		if (sorted[i]->name[0] != '\0' && strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
			struct diag *g = diag_add(k->d, SEV_ERROR, "policy.duplicate", sorted[i]->at, MP_CONDUIT_TWICE,
						  sorted[i]->name);

			g->also = sorted[i - 1]->at;
		}
	}
}

void check_conduits(struct check *k, const struct ast_node *node)
{
	size_t n = node != NULL ? node->n : 0;
	struct object o = { MP_OBJ_SECTION, "conduits" };
	struct srcpos wrong = { 0 };
	struct model *m = k->m;

	m->conduits = arena_array(k->a, n, sizeof(m->conduits[0]));
	for (const struct ast_node *c = NULL;
	     m->conduits != NULL && (c = list_next(k, node, c, AST_GROUP, o)) != NULL;) {
		struct model_conduit *one = &m->conduits[m->n_conduits];
		size_t errors = k->d->errors;

		/* Of conduits that were expanded from the same lines, only the first one's errors
		 * are reported. */
		if (wrong.line != 0 && same_place(wrong, c->at))
			continue;
		one->index = (uint32_t)m->n_conduits++;
		one_conduit(k, c, one);
		if (k->d->errors > errors)
			wrong = c->at;
	}
	report_same_names(k);
}

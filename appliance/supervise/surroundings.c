/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the box as JSON: its links as the kernel has them now, and what other programs have
 * changed. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/json.h"
#include "appliance/base/memfd.h"
#include "appliance/box/links_json.h"
#include "appliance/box/outside.h"
#include "appliance/supervise/supervise.h"
#include "appliance/tap/session.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/pairs.h"
#include "appliance/wire/settings.h"

/*
 * Which generation is in force, for roles without a command table; and for each permit of the
 * workers' table the generation that it is from. While two generations are known, a permit of both
 * belongs to the one in force, and a lingering permit to its own. Records carry this, so that the
 * journal uses the names of the right generation.
 */

/*
 * Whether passed sessions are recorded. This is a setting of the policy in force, also on trial,
 * and of the kernel's socket that reports them (appliance/tap/session.h).
 */

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_permit(const void *a, const void *b)
{
	const struct stamp *x = a, *y = b;

	return (x->permit > y->permit) - (x->permit < y->permit);
}

static struct event_generation generation_of(const struct policy *p)
{
	return event_generation(p->number, p->ir->digest);
}

static const struct stamp *stamp_of(const struct stamps *s, uint32_t permit)
{
	const struct stamp key = { .permit = permit };

	return s->n > 0 ? bsearch(&key, s->list, s->n, sizeof(*s->list), by_permit) : NULL;
}

/* The permits of an image, in its order. */
static int permits_of(const uint8_t *image, size_t n, struct stamps *ret)
{
	size_t size = (COMMANDS_MEMORY(n) + 15) / 16 * 16;
	void *memory = aligned_alloc(16, size);
	struct command_table t = { 0 };
	int r = -ENOMEM;

	if (memory == NULL)
		return r;
	if (!commands_decode(bytes_of(image, n), memory, size, &t)) {
		r = -EBADMSG;
	} else if ((ret->list = calloc((size_t)t.n_permits + 1, sizeof(*ret->list))) != NULL) {
		for (uint32_t i = 0; i < t.n_permits; i++)
			ret->list[i].permit = t.permits[i].permit;
		ret->n = t.n_permits;
		r = 0;
	}
	free(memory);
	return r;
}

int stamps_make(const struct stamps *old, const uint8_t *image, size_t n, const struct policy *p, bool in_force,
		struct stamps *ret)
{
	uint32_t n_ids = p != NULL ? p->ir->n_permits : 0, *ids = calloc((size_t)n_ids + 1, sizeof(*ids));
	int r = ids != NULL ? permits_of(image, n, ret) : -ENOMEM;

	for (uint32_t i = 0; ids != NULL && i < n_ids; i++)
		ids[i] = p->ids[i];
	if (ids != NULL && n_ids > 0)
		qsort(ids, n_ids, sizeof(*ids), by_number);
	for (uint32_t i = 0; r == 0 && i < ret->n; i++) {
		struct stamp *to = &ret->list[i];
		const struct stamp *was = stamp_of(old, to->permit);
		bool has = n_ids > 0 && bsearch(&to->permit, ids, n_ids, sizeof(*ids), by_number) != NULL;

		if (has && (in_force || was == NULL))
			to->of = generation_of(p);
		else if (was != NULL)
			to->of = was->of;
	}
	free(ids);
	return r;
}

/* Tells a role without a command table which generation is in force. */
static void tell(struct supervisor *s, unsigned slot)
{
	struct msg_body m = { .type = MSG_IN_FORCE };

	if (!slot_alive(&s->slots[slot]) || s->now == NULL)
		return;
	m.in_force.now = generation_of(s->now);
	role_send(s, &s->slots[slot], 0, &m, NULL, 0);
}

/* Sets the recording of passed sessions by the policy in force. */
static void passed_follow(struct supervisor *s)
{
	struct err e = { 0 };

	/* If the tap has never started, there is nothing to set. */
	if (s->passed_fd < 0 || tap_sessions_hear(s->passed_fd, s->now->ir->record_passed, &e) == 0)
		return;
	say(s, M_PASSED_NOT_HEARD, e.text);
}
void in_force_tell_one(struct supervisor *s, const struct slot *sl)
{
	if (sl->role == ROLE_ENFORCE)
		clock_tell(s);
	if (sl->role == ROLE_TAP)
		passed_follow(s);
	if (sl->role == ROLE_GATE && slot_alive(sl))
		pairs_tell(s, &s->slots[sl - s->slots]);
	if (sl->role == ROLE_TAP || sl->role == ROLE_ENFORCE || sl->role == ROLE_GATE)
		tell(s, (unsigned)(sl - s->slots));
}

void in_force_tell(struct supervisor *s)
{
	s->events.now = generation_of(s->now);
	if (s->now->number != 0)
		generation_turn(&s->store, s->now->number);
	for (unsigned i = 0; i < SLOTS; i++)
		in_force_tell_one(s, &s->slots[i]);
}

/* What gates need from the policy in force: the pairs of addresses between which they may answer
 * TCP segments that belong to no session. */

#define IPPROTO_TCP_NUMBER 6u
#define ELEMENTS_BUDGET (256u << 20)

static bool is_tcp_pair(const struct ir_element *x)
{
	return ir_set_cells(x->set) && x->l4proto == IPPROTO_TCP_NUMBER;
}

static int pairs_memfd(const struct policy *p)
{
	struct arena *a = arena_new(ELEMENTS_BUDGET);
	struct ir_element *x = NULL;
	size_t n = a != NULL ? ir_elements(p->ir, p->ids, a, &x) : 0, kept = 0;
	struct known_pair *list = calloc(n + 1, sizeof(*list));
	int fd;

	for (size_t i = 0; list != NULL && i < n; i++)
		if (is_tcp_pair(&x[i]))
			list[kept++] = (struct known_pair){
				.client = x[i].src, .server = x[i].dst, .lo = x[i].lo, .hi = x[i].hi
			};
	fd = list != NULL ? memfd_sealed("sekisho-pairs", list, kept * sizeof(*list)) : -1;
	free(list);
	arena_free(a);
	return fd;
}

void pairs_tell(struct supervisor *s, struct slot *gate)
{
	if (s->pairs_of != s->now) {
		if (s->pairs_fd >= 0)
			close(s->pairs_fd);
		s->pairs_fd = pairs_memfd(s->now);
		s->pairs_of = s->now;
	}
	/* Without this list a gate answers no such segment, and those sessions time out. */
	if (s->pairs_fd >= 0)
		role_send(s, gate, 0, &(struct msg_body){ .type = MSG_PAIRS }, &s->pairs_fd, 1);
}

/* Whether the kernel reports passed sessions to the tap: true, false, or null when this cannot be
 * read. */

static json_t *passed_json(const struct supervisor *s)
{
	int heard = s->passed_fd < 0 ? -1 : tap_sessions_heard(s->passed_fd);

	return heard < 0 ? json_null() : json_boolean(heard);
}

/* Whether the kernel's setting differs from the policy. */
static bool passed_differs(const struct supervisor *s)
{
	return s->passed_fd >= 0 && tap_sessions_heard(s->passed_fd) != (int)s->now->ir->record_passed;
}

static void difference(void *ctx, const char *where, const char *what, const char *detail)
{
	json_array_append_new(ctx, json_pack("{s:o, s:s, s:o, s:i}", "where", json_text(where), "what", what, "detail",
					     json_text(detail), "line", 0));
}

json_t *json_surroundings(const struct supervisor *s)
{
	json_t *list = json_array();
	struct err e = { 0 };

	/* During an operation the state fits neither policy, and the operation compares by
	 * itself. */
	if (s->op.kind == OP_NONE && box_compare(&s->spaces, s->now->ir, false, difference, list, &e) < 0)
		difference(list, "box", "unknown", e.text);
	if (outside_look(&s->spaces, s->now->ir, difference, list, &e) < 0)
		difference(list, "namespace", "unknown", e.text);
	return list;
}

json_t *json_generation(const struct supervisor *s)
{
	const struct generation_record *g = generation_find(&s->store, s->now->number);
	bool waiting = s->trial != 0 && s->trial == s->now->number;
	/* The person who last put the policy into force: after a rollback the one who rolled back,
	 * not the one who applied it first. */
	bool went_back = g != NULL && !waiting && g->why == WHY_ROLLBACK;

	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o}", "number", (json_int_t)s->now->number, "digest",
			 json_hex(s->now->ir->digest, 32), "state",
			 s->now->number == 0 ? "none"
			 : waiting	     ? "waiting"
					     : "confirmed",
			 "applied", g != NULL ? json_time(went_back ? g->changed_ns : g->applied_ns) : json_null(),
			 "confirm_by", waiting ? json_time(trial_until(s)) : json_null(), "by",
			 g != NULL ? json_text(went_back ? g->changed_by : g->by) : json_null());
}

json_t *json_site(const struct supervisor *s)
{
	const struct ir *ir = s->now->ir;

	return json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(ir->site_name), "label", json_text(ir->site_label),
			 "contact", json_text(ir->site_contact), "records",
			 ir->records_purpose[0] == '\0'
				 ? json_null()
				 : json_pack("{s:o, s:o}", "purpose", json_text(ir->records_purpose), "responsible",
					     json_text(ir->records_responsible)));
}

/* Which box, site and time the answer is about. The digest is the one read back from the kernel. */
void json_moment(const struct supervisor *s, json_t *j)
{
	json_t *generation = json_object_get(j, "generation"), *all = json_generation(s);
	char host[HOST_NAME_MAX + 1] = "";

	if (json_equal(json_object_get(generation, "digest"), json_object_get(all, "digest")))
		json_object_update_missing(generation, all);
	json_decref(all);
	(void)gethostname(host, sizeof(host) - 1);
	json_object_set_new(j, "host", json_text(host));
	json_object_set_new(j, "site", json_site(s));
	json_object_set_new(j, "time", json_time(clock_wall_ns()));
}

/* Adds to `j` the state of a process. */
static json_t *json_slot(const struct slot *sl, json_t *j)
{
	json_object_set_new(j, "role", json_string(role_name(sl->role)));
	json_object_set_new(j, "index", json_integer(sl->index));
	if (sl->role == ROLE_DPI || sl->role == ROLE_GATE)
		json_object_set_new(j, "kind", json_string(lane_kind_words[pair_kind(sl->index)]));
	return j;
}

static json_t *json_roles(const struct supervisor *s)
{
	static const char *const states[] = {
		[SLOT_OFF] = "off",
		[SLOT_DEAD] = "dead",
		[SLOT_STARTING] = "starting",
		[SLOT_RUNNING] = "running",
	};
	json_t *list = json_array();

	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *sl = &s->slots[i];

		if (sl->state != SLOT_OFF)
			json_array_append_new(
				list, json_slot(sl, json_pack("{s:i, s:s, s:i, s:o}", "pid", (int)sl->pid, "state",
							      states[sl->state], "restarts", (int)sl->restarts, "since",
							      json_time(sl->since_wall))));
	}
	return list;
}

static json_t *json_notice(const struct supervisor *s)
{
	if (sentence_said(&s->store_error))
		return sentence_json(&s->store_error);
	if (sentence_said(&s->trial_error))
		return sentence_json(&s->trial_error);
	if (sentence_said(&s->boot_error))
		return sentence_json(&s->boot_error);
	return is_unsaved(s) ? json_sentence(M_STORE_UNSAVED) : json_null();
}

static json_t *json_by_kind(const uint32_t n[LANE_KINDS])
{
	json_t *j = json_object();

	for (unsigned k = 0; k < LANE_KINDS; k++)
		json_object_set_new(j, lane_kind_words[k], json_integer(n[k]));
	return j;
}

/* How often addresses, links and routes were restored. Enforce reports rules and settings. */
static json_t *json_network_drifts(const struct supervisor *s)
{
	uint64_t wall_ns, n = network_drifts(s, &wall_ns);

	return json_pack("{s:I, s:o}", "seen", (json_int_t)n, "last", n > 0 ? json_time(wall_ns) : json_null());
}

static json_t *json_status(struct supervisor *s)
{
	json_t *j = json_object();

	json_object_set_new(j, "site", json_site(s));
	json_object_set_new(j, "generation", json_generation(s));
	json_object_set_new(j, "network_drifts", json_network_drifts(s));
	json_object_set_new(j, "roles", json_roles(s));
	json_object_set_new(j, "interfaces", box_interfaces_json(&s->spaces, s->now->ir));
	json_object_set_new(j, "reach", box_reach_json(&s->spaces, s->now->ir));
	json_object_set_new(j, "clock", json_clock(s));
	json_object_set_new(j, "isolations", json_isolations(s));
	json_object_set_new(j, "doors", json_doors(s));
	json_object_set_new(j, "windows", json_windows(s));
	json_object_set_new(j, "uninspected", json_uninspected(s));
	json_object_set_new(j, "unheard", json_unheard(s));
	json_object_set_new(j, "log", beside_log_json(s->now->ir, s->state_fd, s->o->state));
	json_object_set_new(j, "ups", json_ups(s));
	json_object_set_new(j, "mail", beside_mail_json(s->now->ir, s->o->run));
	json_object_set_new(j, "snmp", beside_snmp_json(s->now->ir, s->o->run));
	json_object_set_new(j, "surroundings", json_surroundings(s));
	json_object_set_new(j, "cores", json_integer(s->cores));
	json_object_set_new(j, "workers_asked", json_by_kind(s->workers_asked));
	json_object_set_new(j, "workers_run", json_by_kind(s->workers_run));
	json_object_set_new(j, "partition", partition_json(&s->partition));
	json_object_set_new(j, "notice", json_notice(s));
	return j;
}

/* The table by which workers should judge, and which workers do. */
static void add_tables(const struct supervisor *s, json_t *j)
{
	json_t *pairs = json_array();

	for (uint32_t w = 0; w < PAIR_MAX; w++)
		if (s->pairs[w].wanted)
			json_array_append_new(pairs, json_integer(w));
	json_object_set_new(j, "pairs", pairs);
	json_object_set_new(j, "table", json_hex(s->table_digest, sizeof(s->table_digest)));
}

static json_t *json_effective(struct supervisor *s)
{
	json_t *j = json_object();

	add_tables(s, j);
	json_object_set_new(j, "record_passed", passed_json(s));
	json_object_set_new(j, "answers", box_answering_json(&s->spaces, s->now->ir));
	json_object_set_new(j, "reach", box_reach_json(&s->spaces, s->now->ir));
	json_object_set_new(j, "clock", json_clock(s));
	json_object_set_new(j, "moment", json_object());
	json_moment(s, json_object_get(j, "moment"));
	json_object_set_new(json_object_get(j, "moment"), "generation", json_generation(s));
	return j;
}

static json_t *json_verify(struct supervisor *s)
{
	json_t *j = json_object();

	add_tables(s, j);
	json_object_set_new(j, "surroundings", json_surroundings(s));
	json_object_set_new(j, "passed_differs", json_boolean(passed_differs(s)));
	return j;
}

json_t *json_box(struct supervisor *s, enum box_what what)
{
	static json_t *(*const makers[BOX_WHATS])(struct supervisor *) = {
		[BOX_STATUS] = json_status,
		[BOX_EFFECTIVE] = json_effective,
		[BOX_VERIFY] = json_verify,
	};

	return makers[what](s);
}

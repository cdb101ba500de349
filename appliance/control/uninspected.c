/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/control/control.h"
#include "appliance/control/ground.h"
#include "appliance/control/uninspected.h"
#include "appliance/control/watch.h"
#include "appliance/role/roles.h"
#include "appliance/wire/settings.h"

#define NAMED 3u  /* conduits that a record names */
#define SHOWN 32u /* conduits of a lane in an answer; the total is given as well */
#define COUNT_TEXT 24u

/* What the next control goes on with. `now`, `is_deaf`: whether the alarm of `unserved`, of `deaf`,
 * is on. */
struct left {
	struct counting counting;
	struct unserved unserved;
	struct deaf deaf;
	uint64_t logged, heard;
	uint32_t now, is_deaf;
};
_Static_assert(sizeof(struct left) <= CONTROL_ALARMS_BYTES, "alarms find room");

/* Goes on with what the former control left. Before the first control, the memory is all zero. */
void alarms_open(struct control *s)
{
	struct left x;

	if (pread(CONTROL_FD_ALARMS, &x, sizeof(x), 0) != (ssize_t)sizeof(x))
		return;
	/* Not copied as bools, because a bool may have no other bit pattern than 0 or 1. */
	x.unserved.on = x.now != 0;
	x.deaf.on = x.is_deaf != 0;
	s->counting = x.counting;
	s->uninspected.unserved = x.unserved;
	s->unheard.deaf = x.deaf;
	s->unheard.logged_was = x.logged;
	s->unheard.heard_was = x.heard;
}

static void leave_counts(const struct control *s)
{
	const struct unserved *u = &s->uninspected.unserved;
	const struct unheard *h = &s->unheard;
	const struct left x = { s->counting, *u, h->deaf, h->logged_was, h->heard_was, u->on, h->deaf.on };

	(void)!pwrite(CONTROL_FD_ALARMS, &x, sizeof(x), 0);
}

/* ---- counting -------------------------------------------------------------------------------- */

/* Adds the increase of a counter of the rules, which begins anew when they are loaded. */
static void add_increase(uint64_t *sum, uint64_t was, uint64_t now)
{
	*sum += now >= was ? now - was : now;
}

/* The counters begin when the rules are loaded, which may be before the daemon's start. So the
 * first report only sets the base. */
void unanswered_told(struct control *s, struct msg *told)
{
	const struct msg_unanswered *m = &told->body.unanswered;
	struct counting *c = &s->counting;

	if (c->any == 0)
		c->was = *m;
	add_increase(&c->counts.fates[UNSERVED_CLOSED], c->was.closed, m->closed);
	add_increase(&c->counts.fates[UNSERVED_HELD], c->was.held, m->held);
	add_increase(&c->counts.fates[UNSERVED_HOLD_NEW], c->was.hold_new, m->hold_new);
	add_increase(&c->counts.fates[UNSERVED_OPEN], c->was.open, m->open);
	add_increase(&c->logged, c->was.logged, m->logged);
	c->was = *m;
	c->any = 1;
}

void heard_told(struct control *s, struct msg *m)
{
	s->counting.heard++;
}

/* The increase of a counter of a queue. The kernel starts the counter at 0 when the queue is
 * made. */
static uint32_t queue_increase(uint32_t was, uint32_t now)
{
	return now >= was ? now - was : now;
}

/* Called once a second. What was counted since the last call is judged together. */
void away_told(struct control *s, struct msg *m)
{
	static struct queue_state states[LANE_COUNT * LANE_SLOTS];
	struct counting *c = &s->counting;
	int n = outstanding_read(CONTROL_FD_QUEUES, states, LANE_COUNT * LANE_SLOTS);

	for (int i = 0; i < n; i++) {
		uint32_t lane = queue_lane(states[i].queue);
		struct queue_state *was;

		if (lane == LANE_COUNT)
			continue;
		was = &c->seen[lane * LANE_SLOTS + queue_slot(states[i].queue)];
		c->counts.lanes[lane][UNSERVED_FULL] += queue_increase(was->dropped_full, states[i].dropped_full);
		c->counts.lanes[lane][UNSERVED_UNREAD] += queue_increase(was->dropped_user, states[i].dropped_user);
		*was = states[i];
	}
	for (uint32_t l = 0; l < LANE_COUNT; l++)
		c->counts.lanes[l][UNSERVED_AWAY] = m->body.away.by_lane[l];
	/* look in this turn */
	s->watches[WATCH_UNINSPECTED].at = s->watches[WATCH_UNHEARD].at = 0;
}

/* ---- the conduits of the packets ------------------------------------------------------------- */

/* Marks the conduits with a permit in that lane, in one pass through the policy. */
static void mark_conduits(const struct ir *ir, uint32_t lane, uint8_t *marks)
{
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		const struct command_permit *p =
			ir->permits[i].lane == lane ? commands_permit(&ir->table, i + 1) : NULL;

		for (uint32_t k = 0; p != NULL && k < p->n_grants; k++)
			if (ir->table.grants[p->first_grant + k].conduit < ir->n_conduits)
				marks[ir->table.grants[p->first_grant + k].conduit] = 1;
	}
}

/* The names of the affected conduits in the policy in force: "tos-reads-cranes, vendor, +2". */
static void names_text(const struct control *s, const struct unserved *u, char *out, size_t size)
{
	const struct ir *ir = s->now->ir;
	uint8_t *marks = calloc(ir->n_conduits + 1u, 1);
	size_t at = 0;
	uint32_t n = 0;

	out[0] = '\0';
	for (uint32_t l = 0; marks != NULL && l < LANE_COUNT; l++)
		if (unserved_lane(u, l))
			mark_conduits(ir, l, marks);
	for (uint32_t i = 0; marks != NULL && i < ir->n_conduits; i++) {
		if (!marks[i] || n++ >= NAMED || at >= size)
			continue;
		at += (size_t)snprintf(out + at, size - at, "%s%s", n > 1 ? ", " : "", ir->conduits[i].name);
	}
	if (n > NAMED && at < size)
		snprintf(out + at, size - at, ", +%u", n - NAMED);
	free(marks);
}

static void tell_uninspected(struct control *s, uint8_t what)
{
	const struct unserved *u = &s->uninspected.unserved;
	char names[EVENT_TEXT], dropped[COUNT_TEXT], passed[COUNT_TEXT];

	names_text(s, u, names, sizeof(names));
	snprintf(dropped, sizeof(dropped), "%llu", (unsigned long long)unserved_dropped(u));
	snprintf(passed, sizeof(passed), "%llu", (unsigned long long)unserved_passed(u));
	machine_record(s, what, (struct said){ .object = names, .before = dropped, .after = passed });
}

void uninspected_look(struct control *s, uint64_t now)
{
	struct uninspected *u = &s->uninspected;

	switch (unserved_look(&u->unserved, &s->counting.counts, now, clock_wall_ns())) {
	case UNSERVED_BEGINS:
		tell_uninspected(s, MACHINE_UNINSPECTED);
		break;
	case UNSERVED_ENDS:
		tell_uninspected(s, MACHINE_INSPECTED);
		unserved_forget(&u->unserved);
		break;
	case UNSERVED_SAME:
		break;
	}
	leave_counts(s);
}

/* ---- for the status -------------------------------------------------------------------------- */

static json_t *lane_json(const struct control *s, uint32_t lane)
{
	const uint64_t *n = s->uninspected.unserved.sum.lanes[lane];
	const struct ir *ir = s->now->ir;
	uint8_t *marks = calloc(ir->n_conduits + 1u, 1);
	json_t *list = json_array();
	char text[WORD_TEXT];
	uint32_t all = 0;
	struct lane l = { 0 };

	if (marks != NULL)
		mark_conduits(ir, lane, marks);
	for (uint32_t i = 0; marks != NULL && i < ir->n_conduits; i++) {
		const struct ir_conduit *c = &ir->conduits[i];

		if (marks[i] && all++ < SHOWN)
			(void)json_array_append_new(list, json_pack("{s:o, s:o}", "conduit", json_text(c->name),
								    "label", json_text(c->label)));
	}
	free(marks);
	(void)lane_of(lane, &l);
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:i, s:o}", "lane", lane_text(lane, text), "when_down",
			 failure_words[l.when_down], "when_overloaded", failure_words[l.when_overloaded], "queue_full",
			 (json_int_t)n[UNSERVED_FULL], "socket_full", (json_int_t)n[UNSERVED_UNREAD], "no_worker",
			 (json_int_t)n[UNSERVED_AWAY], "conduits_all", (int)all, "conduits", list);
}

json_t *json_uninspected(const struct control *s)
{
	const struct unserved *u = &s->uninspected.unserved;
	const uint64_t lanes = ir_lanes(s->now->ir);
	json_t *list = json_array();

	for (uint32_t l = 0; l < LANE_COUNT && u->on; l++)
		if (unserved_lane(u, l) && (u->sum.lanes[l][UNSERVED_FULL] + u->sum.lanes[l][UNSERVED_UNREAD] +
							    u->sum.lanes[l][UNSERVED_AWAY] >
						    0 ||
					    (lanes >> l & 1u) != 0))
			(void)json_array_append_new(list, lane_json(s, l));
	return json_pack("{s:b, s:o, s:o, s:I, s:I, s:o}", "now", (int)u->on, "since",
			 u->on ? json_time(u->since_wall_ns) : json_null(), "last",
			 u->on ? json_time(u->last_wall_ns) : json_null(), "dropped",
			 u->on ? (json_int_t)unserved_dropped(u) : 0, "passed",
			 u->on ? (json_int_t)unserved_passed(u) : 0, "lanes", list);
}

static void tell_heard(struct control *s, uint8_t what)
{
	char number[COUNT_TEXT];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)s->unheard.deaf.packets);
	machine_record(s, what, (struct said){ .before = number });
}

void unheard_look(struct control *s, uint64_t now)
{
	const struct counting *c = &s->counting;
	struct unheard *u = &s->unheard;

	switch (deaf_look(&u->deaf, c->logged - u->logged_was, c->heard != u->heard_was,
			  s->facts.state[SLOT_TAP] == SLOT_RUNNING, now, clock_wall_ns())) {
	case DEAF_BEGINS:
		tell_heard(s, MACHINE_TAP_DEAF);
		break;
	case DEAF_ENDS:
		tell_heard(s, MACHINE_TAP_HEARS);
		deaf_forget(&u->deaf);
		break;
	case DEAF_SAME:
		break;
	}
	u->logged_was = c->logged;
	u->heard_was = c->heard;
	leave_counts(s);
}

json_t *json_unheard(const struct control *s)
{
	const struct deaf *d = &s->unheard.deaf;

	return json_pack("{s:b, s:o, s:o, s:I}", "now", (int)d->on, "since",
			 d->on ? json_time(d->since_wall_ns) : json_null(), "last",
			 d->on ? json_time(d->last_wall_ns) : json_null(), "packets",
			 d->on ? (json_int_t)d->packets : 0);
}

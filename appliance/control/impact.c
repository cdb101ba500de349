/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effect of an operation on live sessions, for whoever gave the order. Enforce reports which
 * sessions are cut and which go on under another permit. For the latter, each worker is asked how
 * the new rows judge what the session has done so far. A worker's answer consists of numbers, and a
 * wrong answer can only change a list that people read. A session that no worker follows will be
 * picked up half-way. There is one operation at a time, so there is one such effect.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/memfd.h"
#include "appliance/control/control.h"
#include "appliance/control/facts.h"
#include "appliance/control/ground.h"
#include "appliance/control/impact.h"
#include "appliance/control/told.h"
#include "appliance/wire/commands_json.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/slot.h"
#include "appliance/wire/vocabulary.h"
#include "policy/ir/json.h"

#define ANSWER_NS 1000000000ull /* ns: a worker's time for one answer */
#define FORETOLD_MOST (IMPACT_SESSIONS * (FORETOLD_SESSION_BYTES + IMPACT_COMMANDS * FORETOLD_COMMAND_BYTES))
#define SESSIONS_MAX (2 * TOLD_MOST * TOLD_SESSION_BYTES) /* bytes */

_Static_assert(TOLD_JSON_NAMED + TOLD_MOST + 2 < TOLD_JSON_TAKEN, "what is named can be taken");

/* What is known of one session that goes on. */
struct foretold {
	enum { FORETOLD_NOTHING, FORETOLD_UNKNOWN, FORETOLD_BY_WORKER } state;
	struct msg_told_session session;
	struct msg_foretold_session what;
	json_t *commands; /* for people; owned */
};

struct permit_place {
	uint32_t id, at;
};

struct impact {
	uint32_t number; /* number of the question that the operation answers; 0 = there is none */
	/* what the compiler says; owned, NULL = nothing */
	json_t *diagnostics, *meaning;
	uint32_t more_meaning;
	bool told; /* enforce has said something */
	/* what enforce has said: arrays for people, owned; the counts are of the last report */
	json_t *cut, *changed;
	uint64_t live, cut_more, changed_more;
	struct foretold *of; /* one for each of `changed`, in order; owned */
	size_t n;
	struct in_force *next; /* the generation with the new permits; owned */
	/* hosts that lose access to the management by `next`; owned, NULL = none, or not known */
	json_t *shut_out;
	/* places of the permits of `next`, by id; owned, NULL = no memory, or not yet */
	struct permit_place *places;
	bool asks; /* workers are being asked */
	/* the workers are asked about the sessions from `asked` up to, but not including, `at` */
	size_t asked, at;
	uint64_t workers;  /* bit n: worker n has the table */
	uint64_t waiting;  /* bit n: worker n has the question, but has not answered */
	uint64_t deadline; /* monotonic ns */
	bool silent;	   /* a worker did not answer */
	/* `takes`: some worker can load the table; `refuses`: some worker cannot */
	bool takes, refuses;
	json_t *narrowed, *ended; /* for people; owned, NULL = not known yet */
	uint64_t unknown;
};

int impact_open(struct control *s, struct err *e)
{
	s->impact = calloc(1, sizeof(*s->impact));
	return s->impact == NULL ? err_set(e, -ENOMEM, "effect of changes") : 0;
}

static void sessions_free(struct impact *x)
{
	for (size_t i = 0; i < x->n; i++)
		json_decref(x->of[i].commands);
	free(x->of);
	x->of = NULL;
	x->n = 0;
}

static void impact_end(struct impact *x)
{
	sessions_free(x);
	in_force_free(x->next);
	free(x->places);
	json_decref(x->diagnostics);
	json_decref(x->meaning);
	json_decref(x->cut);
	json_decref(x->changed);
	json_decref(x->narrowed);
	json_decref(x->ended);
	json_decref(x->shut_out);
	*x = (struct impact){ 0 };
}

/* What is known of the operation of this question. */
static struct impact *impact_of(struct control *s, uint32_t id)
{
	struct impact *x = s->impact;

	if (x->number != (id & RELAYED_NUMBER)) {
		impact_end(x);
		x->number = id & RELAYED_NUMBER;
	}
	return x;
}

/* ---- what the compiler and enforce say ------------------------------------------------------- */

/* An array in a memfd, owned by the caller. */
static json_t *array_take(int fd)
{
	json_t *j = json_of_memfd(fd, TOLD_JSON_TAKEN);

	if (json_is_array(j))
		return j;
	json_decref(j);
	return json_array();
}

/* Reads the sessions that go on, which come after `n_cut` others. */
static bool sessions_take(struct impact *x, int fd, size_t n_cut, size_t n)
{
	struct msg_told_session ended;
	uint8_t *p = NULL;
	size_t size = 0;
	struct bytes b;
	struct err e;
	bool whole;

	if (memfd_read(fd, SESSIONS_MAX, &p, &size, &e) < 0)
		return false;
	b = bytes_of(p, size);
	while (n_cut > 0 && msg_take_told_session(&b, &ended))
		n_cut--;
	x->of = n_cut == 0 ? calloc(n + 1, sizeof(*x->of)) : NULL;
	while (x->of != NULL && x->n < n && msg_take_told_session(&b, &x->of[x->n].session))
		x->n++;
	whole = x->of != NULL && x->n == n && json_array_size(x->changed) == n;
	free(p);
	if (!whole)
		sessions_free(x);
	return whole;
}

void impact_meant(struct control *s, struct msg *m)
{
	struct impact *x = impact_of(s, m->id);

	json_decref(x->diagnostics);
	json_decref(x->meaning);
	x->diagnostics = array_take(m->fds[0]);
	x->meaning = json_of_memfd(m->fds[1], TOLD_JSON_TAKEN);
	x->more_meaning = m->body.meant.more;
}

void impact_told(struct control *s, struct msg *m)
{
	const struct msg_told *t = &m->body.told;
	struct impact *x = impact_of(s, m->id);

	/* The first report foretells, the second one says what was done. The second one does not
	 * replace the foretold sessions that go on. */
	if (!x->told) {
		x->told = true;
		x->changed = m->n_fds == 3 ? array_take(m->fds[1]) : json_array();
		if (m->n_fds == 3)
			(void)sessions_take(x, m->fds[2], t->n_cut, t->n_changed);
	}
	json_decref(x->cut);
	x->cut = m->n_fds == 3 ? array_take(m->fds[0]) : json_array();
	x->live = t->live;
	x->cut_more = t->cut_more;
	x->changed_more = t->changed_more;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static const struct ir *next_ir(const struct impact *x)
{
	return x->next->ir;
}

/* Asks each worker that has the table about the next sessions. A worker that cannot be asked, dies,
 * or takes too long counts as silent. */
static void ask_next(struct control *s)
{
	struct impact *x = s->impact;
	bool asked = ask_slot(s, SLOT_BOX, x->number, &(struct msg_body){ .type = MSG_SESSIONS }, NULL, 0);

	x->asked = x->at;
	x->at = x->n - x->at < IMPACT_SESSIONS ? x->n : x->at + IMPACT_SESSIONS;
	x->deadline = now_ns() + ANSWER_NS;
	x->waiting = asked ? x->workers : 0;
	x->silent |= !asked;
}

/* ---- the answers ----------------------------------------------------------------------------- */

/* One kind of command that will be refused, as JSON. */
static json_t *command_json(const struct msg_foretold_command *x, enum protocol p)
{
	const struct vocabulary *v = vocabulary_of(p);
	const struct function_info *known = v != NULL ? function_by_code(v, x->service) : NULL;
	const uint32_t targets[TARGET_MAX] = { x->target_0, x->target_1, x->target_2, x->target_3 };
	json_t *c = json_pack("{s:s,s:I,s:I,s:s?}", "protocol", protocol_info(p)->name, "function",
			      (json_int_t)x->service, "count", (json_int_t)x->count, "reason",
			      x->reason != R_NONE ? reason_word((enum reason)x->reason) : NULL);

	targets_json(c, targets, v);
	if (known != NULL)
		json_object_set_new(c, "function_name", json_string(known->name));
	if (space_key(v, x->space) != NULL) {
		json_object_set_new(c, "space", json_string(space_key(v, x->space)));
		json_object_set_new(c, "address", json_integer((json_int_t)x->address));
		json_object_set_new(c, "quantity", json_integer((json_int_t)x->quantity));
		json_object_set_new(c, "place", place_json(v, x->space, x->address, x->quantity));
	}
	if (x->writes) {
		json_object_set_new(c, "low", json_integer((json_int_t)x->low));
		json_object_set_new(c, "high", json_integer((json_int_t)x->high));
	}
	return c;
}

/* The session as enforce describes it; a copy. */
static json_t *session_json(const struct impact *x, size_t i)
{
	return json_copy(json_array_get(x->changed, i));
}

static json_t *narrowed_json(const struct impact *x, size_t i)
{
	const struct foretold *f = &x->of[i];
	json_t *j = session_json(x, i);

	json_object_set_new(j, "commands", f->commands != NULL ? json_incref(f->commands) : json_array());
	json_object_set_new(j, "forgotten", json_integer((json_int_t)(f->what.forgotten & INT64_MAX)));
	json_object_set_new(j, "partly", json_boolean(f->what.partly));
	return j;
}

/* A session that ends at its next packet, for the list of cut sessions. */
static json_t *ended_json(const struct impact *x, size_t i, enum reason reason)
{
	json_t *j = session_json(x, i);

	json_object_set_new(j, "reason", json_string(reason_word(reason)));
	return j;
}

/* Whether a session of this permit can be picked up half-way. That needs a protocol whose commands
 * are judged, because a protocol that is only recognised shows at the beginning of a session. */
static bool picks_up(const struct ir_permit *permit, const struct lane *lane)
{
	enum protocol p = protocols_next(&permit->protocols, PROTO_NONE);

	while (p != PROTO_NONE && protocol_info(p)->depth != DEPTH_COMMANDS)
		p = protocols_next(&permit->protocols, p);
	return lane->kind == LANE_COMMANDS && p != PROTO_NONE;
}

static int by_id(const void *a, const void *b)
{
	const struct permit_place *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Why a session that no worker follows will end: its lane does not pick up sessions half-way.
 * R_NONE: the session goes on. */
static enum reason half_way(const struct impact *x, const struct msg_told_session *t)
{
	const struct permit_place key = { .id = t->permit },
				  *found = x->places == NULL ? NULL
							     : bsearch(&key, x->places, next_ir(x)->n_permits,
								       sizeof(key), by_id);
	const struct ir_permit *permit = found != NULL ? &next_ir(x)->permits[found->at] : NULL;
	struct lane lane;

	if (permit == NULL || !lane_of(permit->lane, &lane) || permit->observe ||
	    (permit->midstream == MID_PICK_UP && picks_up(permit, &lane)) ||
	    protocols_have(&permit->protocols, PROTO_TCP) || t->ends.l4proto != IPPROTO_TCP)
		return R_NONE;
	return permit->midstream == MID_DROP ? R_MIDSTREAM_DROP : R_MIDSTREAM_RESET;
}

/* Makes the list of the next generation's permits, sorted by id. There is no such generation if
 * enforce could not say what would become of the sessions. */
static void order_places(struct impact *x)
{
	const struct ir *ir;

	if (x->next == NULL)
		return;
	ir = next_ir(x);
	x->places = calloc((size_t)ir->n_permits + 1, sizeof(*x->places));
	for (uint32_t i = 0; x->places != NULL && i < ir->n_permits; i++)
		x->places[i] = (struct permit_place){ x->next->ids[i], i };
	if (x->places != NULL && ir->n_permits > 0)
		qsort(x->places, ir->n_permits, sizeof(*x->places), by_id);
}

/* Makes the lists for people, once no more answers will come. */
static void conclude(struct impact *x)
{
	order_places(x);
	x->narrowed = json_array();
	x->ended = json_array();
	for (size_t i = 0; i < x->n; i++) {
		const struct foretold *f = &x->of[i];
		enum reason reason;

		if (i >= x->at || f->state == FORETOLD_UNKNOWN) {
			x->unknown++;
			continue;
		}
		reason = f->state == FORETOLD_BY_WORKER ? (enum reason)f->what.reason : half_way(x, &f->session);
		if (reason != R_NONE)
			json_array_append_new(x->ended, ended_json(x, i, reason));
		else if (f->what.n_commands > 0 || f->what.forgotten > 0)
			json_array_append_new(x->narrowed, narrowed_json(x, i));
	}
}

/* Tells the supervisor that the operation may go on. */
static void go_on(struct control *s, uint32_t number, bool refused)
{
	const struct msg_body m = { MSG_WEIGHED, .weighed = { .refused = refused } };

	(void)ask_slot(s, SLOT_BOX, number, &m, NULL, 0);
}

/* Goes on after a question to the workers, once no more answers to it will come. */
static void impact_answered(struct control *s)
{
	struct impact *x = s->impact;

	/*
	 * If a worker refuses a later question, it has started meanwhile. So it has no table of
	 * this operation, and follows none of these sessions. A worker that refuses what another
	 * accepts does not prevent the change (supervise/apply.c). The sessions that it follows
	 * stay unknown.
	 */
	x->silent |= x->refuses && x->at == 0;
	/* If a worker is silent, it may follow the sessions that no other worker knows: these are
	 * unknown. */
	for (size_t i = x->asked; x->silent && i < x->at; i++)
		if (x->of[i].state == FORETOLD_NOTHING)
			x->of[i].state = FORETOLD_UNKNOWN;
	/* After a silent worker no further question is asked, because it would be waited for each
	 * time. The remaining sessions are unknown. */
	if (!x->silent && x->at < x->n) {
		ask_next(s);
		return;
	}
	x->asks = false;
	conclude(x);
	go_on(s, x->number, x->refuses && !x->takes);
}

/* Reads one session of a worker's answer, and its commands. */
static bool take_one(struct impact *x, struct bytes *b)
{
	struct msg_foretold_session what;
	struct msg_foretold_command command;
	json_t *commands = json_array();
	struct foretold *f;

	if (!msg_take_foretold_session(b, &what) || what.at >= x->at - x->asked) {
		json_decref(commands);
		return false;
	}
	for (uint32_t i = 0; i < what.n_commands; i++) {
		if (!msg_take_foretold_command(b, &command)) {
			json_decref(commands);
			return false;
		}
		json_array_append_new(commands, command_json(&command, (enum protocol)what.protocol));
	}
	f = &x->of[x->asked + what.at];
	json_decref(f->commands);
	f->state = FORETOLD_BY_WORKER;
	f->what = what;
	f->commands = commands;
	return true;
}

static void done_if(struct control *s)
{
	if (s->impact->asks && s->impact->waiting == 0)
		impact_answered(s);
}

/* Takes a worker's answer; one that is not whole counts as no answer. */
static bool take_foretold(struct impact *x, const struct msg_foretold *a, int fd)
{
	uint8_t *p = NULL;
	uint32_t i = 0;
	size_t n = 0;
	struct err e;
	struct bytes b;

	if (memfd_read(fd, FORETOLD_MOST, &p, &n, &e) < 0)
		return false;
	b = bytes_of(p, n);
	while (i < a->n_sessions && take_one(x, &b))
		i++;
	free(p);
	return i == a->n_sessions && bytes_done(&b);
}

/* The bit of the worker that has this question; 0 = none. */
static uint64_t bit_of(const struct impact *x, uint32_t id)
{
	unsigned slot = relayed_slot(id);

	if (!x->asks || (id & RELAYED_NUMBER) != x->number || slot < SLOT_DPI || slot >= SLOTS)
		return 0;
	return x->waiting & (uint64_t)1 << (slot - SLOT_DPI);
}

void impact_foretold(struct control *s, struct msg *m)
{
	struct impact *x = s->impact;
	uint64_t bit = bit_of(x, m->id);

	if (bit == 0)
		return; /* for an earlier operation, or too late */
	x->waiting &= ~bit;
	if (take_foretold(x, &m->body.foretold, m->fds[0])) {
		x->takes |= m->body.foretold.table != 0;
		x->refuses |= m->body.foretold.table == 0;
	} else {
		x->silent = true;
	}
	done_if(s);
}

void impact_unasked(struct control *s, uint32_t id)
{
	uint64_t bit = bit_of(s->impact, id);

	if (bit == 0)
		return;
	s->impact->waiting &= ~bit;
	s->impact->silent = true;
	done_if(s);
}

void impact_gone(struct control *s, unsigned slot)
{
	impact_unasked(s, relayed_id(slot, s->impact->number));
}

void impact_due(struct control *s, uint64_t now)
{
	struct impact *x = s->impact;

	if (!x->asks || now < x->deadline)
		return;
	x->silent |= x->waiting != 0;
	x->waiting = 0;
	impact_answered(s);
}

uint64_t impact_next(const struct control *s)
{
	return s->impact->asks ? s->impact->deadline : UINT64_MAX;
}

void impact_weigh(struct control *s, struct msg *m)
{
	const struct msg_weigh *w = &m->body.weigh;
	struct impact *x = s->impact;

	if ((m->id & RELAYED_NUMBER) != x->number || x->next != NULL) {
		go_on(s, m->id & RELAYED_NUMBER, false);
		return;
	}
	x->next = in_force_read(m->fds[0], w->n_sealed, w->n_ids);
	if (x->next == NULL) {
		x->unknown = x->n;
		x->narrowed = json_array();
		x->ended = json_array();
		go_on(s, x->number, false);
		return;
	}
	/* Without a policy nobody reaches the box, so nobody can be shut out. */
	if (s->now->number != 0)
		x->shut_out = ir_shut_out_json(s->now->ir, next_ir(x));
	/* First each worker says whether it can load the table. */
	x->asks = true;
	x->workers = x->waiting = w->workers;
	x->silent = w->silent != 0;
	x->deadline = now_ns() + ANSWER_NS;
	done_if(s);
}

static bool is_behind(const struct ir *ir, const char *conduit, const char *door)
{
	for (uint32_t i = 0; i < ir->n_conduits; i++) {
		const struct ir_conduit *c = &ir->conduits[i];

		if (c->door < ir->n_doors && strcmp(c->name, conduit) == 0 &&
		    strcmp(ir->doors[c->door].name, door) == 0)
			return true;
	}
	return false;
}

/* For a dry run: adds a notice if the policy puts a conduit behind a door that is open, because
 * that opens the conduit at once. A notice of the supervisor is not replaced. */
static void notice_doors(const struct control *s, const struct ir *next, json_t *j)
{
	if (!json_is_true(json_object_get(j, "dry_run")) || json_object_get(j, "notice") != NULL)
		return;
	for (uint32_t i = 0; i < next->n_conduits; i++) {
		const struct ir_conduit *c = &next->conduits[i];
		const char *door = c->door < next->n_doors ? next->doors[c->door].name : NULL;
		struct sentence notice = { 0 };

		if (door == NULL || !door_is_open(s, door) || is_behind(s->now->ir, c->name, door))
			continue;
		sentence_say(&notice, M_DOOR_STANDS_OPEN, door, c->name);
		json_object_set_new(j, "notice", sentence_json(&notice));
		return;
	}
}

void impact_answer(struct control *s, uint32_t id, json_t *j)
{
	struct impact *x = s->impact;
	uint64_t named, unknown;

	if (relayed_slot(id) != SLOT_BOX || (id & RELAYED_NUMBER) != x->number || x->number == 0)
		return;
	if (x->diagnostics != NULL && json_object_get(j, "diagnostics") != NULL)
		json_object_set(j, "diagnostics", x->diagnostics);
	if (json_is_array(x->meaning) && json_object_get(j, "meaning") != NULL) {
		json_object_set(j, "meaning", x->meaning);
		json_object_set_new(j, "more_meaning", json_integer((json_int_t)x->more_meaning));
	}
	/* Sessions that were not weighed are unknown: the supervisor waits for a limited time only,
	 * or could not ask. The sessions of a question without an answer are unknown as well. */
	if (x->told && x->narrowed == NULL) {
		x->at = x->asks && x->waiting != 0 ? x->asked : x->at;
		conclude(x);
	}
	if (x->next != NULL)
		notice_doors(s, next_ir(x), j);
	if (x->shut_out != NULL && json_is_true(json_object_get(j, "done")))
		json_object_set(j, "shut_out", x->shut_out);
	if (json_is_true(json_object_get(j, "done")) && x->narrowed != NULL) {
		json_array_extend(x->cut, x->ended);
		unknown = x->unknown + x->changed_more;
		named = json_array_size(x->cut) + json_array_size(x->narrowed) + unknown + x->cut_more;
		json_object_set(j, "cut", x->cut);
		json_object_set_new(j, "cut_more", json_integer((json_int_t)x->cut_more));
		json_object_set(j, "narrowed", x->narrowed);
		json_object_set_new(j, "go_on", json_integer(x->live > named ? (json_int_t)(x->live - named) : 0));
		json_object_set_new(j, "unknown", json_integer((json_int_t)unknown));
	}
	impact_end(x);
}

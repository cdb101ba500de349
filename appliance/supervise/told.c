/* SPDX-License-Identifier: Apache-2.0 */
/* What control is told: the state of the box, what it counts, and answers to orders. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/box/box.h"
#include "appliance/box/links_json.h"
#include "appliance/box/outside.h"
#include "appliance/store/generation.h"
#include "appliance/supervise/asker.h"
#include "appliance/supervise/counting.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/kept.h"
#include "appliance/supervise/network.h"
#include "appliance/supervise/papers.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/relay.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/told.h"
#include "appliance/tap/tap.h"
#include "appliance/wire/ring.h"
#include "appliance/wire/slot.h"

_Static_assert(sizeof(struct sentence) == MEANT_BYTES, "a sentence as it is sent");
_Static_assert(sizeof(struct msg_standing) % 8 == 0 &&
		       offsetof(struct msg_standing, isolations_unsaved) == sizeof(struct msg_standing) - 1,
	       "what is compared has no gaps");

/* ---- telling the state ----------------------------------------------------------------------- */

/* Puts in what each slot's process does. */
static void slots_of(const struct supervisor *s, struct msg_standing *t)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *sl = &s->slots[i];

		t->pid[i] = (uint64_t)sl->pid;
		t->state[i] = sl->state;
		t->restarts[i] = sl->restarts;
		t->since[i] = sl->since_wall;
	}
	for (unsigned k = 0; k < LANE_KINDS; k++) {
		t->workers_asked[k] = s->workforce.asked[k];
		t->workers_run[k] = s->workforce.running[k];
	}
	for (unsigned w = 0; w < PAIR_MAX; w++)
		t->pairs |= (uint64_t)s->workforce.pairs[w].wanted << w;
	memcpy(t->table, s->workforce.digest, sizeof(t->table));
}

static struct msg_standing standing_of(struct supervisor *s)
{
	struct msg_standing t = { .lang = (uint8_t)s->ground.o->lang,
				  .busy = s->op.kind != OP_NONE,
				  .changes = s->numbers.changes,
				  .number = s->gens.now->number,
				  .trial = s->gens.trial.number,
				  .proven = s->gens.trial.proven,
				  .step = generation_step(&s->gens.store, s->gens.trial.number),
				  .until = s->gens.trial.number != 0 ? trial_until(&s->gens.trial) : 0,
				  .clock_wait = s->reported.clock.wait,
				  .clock_found = s->reported.clock.found,
				  .clock_latest = s->reported.clock.latest,
				  .clock_sources = ir_time_sources(s->gens.now->ir) || trial_sources(&s->gens.trial),
				  .clock_unsaved = s->reported.papers[PAPER_CLOCK].unsaved,
				  .doors_unsaved = s->reported.papers[PAPER_DOORS].unsaved,
				  .isolations_unsaved = s->reported.papers[PAPER_ISOLATIONS].unsaved ||
							s->reported.papers[PAPER_ISOLATIONS].missed,
				  .cores = s->workforce.cores };

	t.drifts = network_drifts(s, &t.drift_last);
	memcpy(t.boot, s->ground.boot, sizeof(t.boot));
	slots_of(s, &t);
	return t;
}

static void tell_policy(struct supervisor *s, struct slot *control)
{
	const struct policy *p = s->gens.now;
	const struct msg_body m = { MSG_GENERATION, .generation = { .which = event_generation(p->number, p->ir->digest),
								    .n_sealed = (uint32_t)p->n_sealed,
								    .n_ids = p->ir->n_permits * 4 } };
	int fd;

	if (s->relay.policy == p && s->relay.number == p->number)
		return;
	fd = policy_memfd(p, NULL, false);
	if (fd < 0)
		return; /* the next turn tries again */
	if (role_send(s, control, 0, &m, &fd, 1)) {
		s->relay.policy = p;
		s->relay.number = p->number;
	}
	close(fd);
}

static void tell_past(struct supervisor *s, struct slot *control)
{
	int fd;

	if (s->relay.past == s->gens.store.changes + 1)
		return;
	fd = json_memfd(history_json(&s->gens.store));
	if (fd >= 0 && role_send(s, control, 0, &(struct msg_body){ .type = MSG_PAST }, &fd, 1))
		s->relay.past = s->gens.store.changes + 1;
	if (fd >= 0)
		close(fd);
}

/* ---- what control counts --------------------------------------------------------------------- */

void counting_told(struct supervisor *s, struct msg *m)
{
	s->reported.counting.last = m->body;
	(void)role_send(s, &s->slots[SLOT_CONTROL], 0, &m->body, NULL, 0);
}

uint64_t counting_due(struct supervisor *s, uint64_t now)
{
	struct msg_body m = { .type = MSG_AWAY };

	if (now < s->reported.counting.look_at)
		return s->reported.counting.look_at;
	s->reported.counting.look_at = now + SECOND;
	for (uint32_t w = 0; w < PAIR_MAX; w++)
		for (uint32_t l = 0; l < LANE_COUNT && s->workforce.pairs[w].pulse != NULL; l++)
			m.away.by_lane[l] +=
				atomic_load_explicit(&s->workforce.pairs[w].pulse->decided[l], memory_order_relaxed);
	(void)role_send(s, &s->slots[SLOT_CONTROL], 0, &m, NULL, 0);
	return s->reported.counting.look_at;
}

void relay_tell(struct supervisor *s)
{
	struct slot *control = &s->slots[SLOT_CONTROL];
	struct msg_body m = { .type = MSG_STANDING };
	int fds[2];

	if (!slot_alive(control) || s->gens.now == NULL)
		return;
	if (s->sockets.web >= 0 &&
	    role_send(s, control, 0, &(struct msg_body){ .type = MSG_WEB }, &s->sockets.web, 1)) {
		close(s->sockets.web);
		s->sockets.web = -1;
	}
	tell_policy(s, control);
	tell_past(s, control);
	m.standing = standing_of(s);
	if (s->relay.told && memcmp(&s->relay.standing, &m.standing, sizeof(m.standing)) == 0)
		return;
	fds[0] = paper_memfd(&s->reported, PAPER_DOORS);
	fds[1] = paper_memfd(&s->reported, PAPER_ISOLATIONS);
	s->relay.told = fds[0] >= 0 && fds[1] >= 0 && role_send(s, control, 0, &m, fds, 2);
	s->relay.standing = m.standing;
	for (size_t i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

void relay_begin(struct supervisor *s, struct slot *sl)
{
	if (sl->role != ROLE_CONTROL)
		return;
	/* A new control knows nothing yet, and the channel of the former one to the web side is
	 * closed. */
	s->relay.told = false;
	s->relay.policy = NULL;
	s->relay.past = 0;
	role_kill(s, &s->slots[SLOT_MGMT]);
	/* The new control answers people as soon as it has the state, which comes last. */
	if (s->reported.counting.last.type != MSG_NONE)
		(void)role_send(s, sl, 0, &s->reported.counting.last, NULL, 0);
	relay_tell(s);
}

/* ---- what only this process can read of the machine ------------------------------------------ */

static void add_difference(void *ctx, const char *where, const char *what, const char *detail)
{
	json_array_append_new(ctx, json_pack("{s:o, s:s, s:o, s:i}", "where", json_text(where), "what", what, "detail",
					     json_text(detail), "line", 0));
}

json_t *json_surroundings(const struct supervisor *s)
{
	json_t *list = json_array();
	struct err e = { 0 };

	/* Not compared during an operation: the state then fits neither policy, and the operation
	 * itself compares. */
	if (s->op.kind == OP_NONE &&
	    box_compare(&s->ground.spaces, s->gens.now->ir, false, add_difference, list, &e) < 0)
		add_difference(list, "box", "unknown", e.text);
	if (outside_look(&s->ground.spaces, s->gens.now->ir, add_difference, list, &e) < 0)
		add_difference(list, "namespace", "unknown", e.text);
	return list;
}

static json_t *json_notice(const struct supervisor *s)
{
	json_t *released;

	if (sentence_said(&s->gens.loading.store_error))
		return sentence_json(&s->gens.loading.store_error);
	if (sentence_said(&s->gens.trial.error))
		return sentence_json(&s->gens.trial.error);
	if (sentence_said(&s->gens.loading.error))
		return sentence_json(&s->gens.loading.error);
	if (is_unsaved(s))
		return json_sentence(M_STORE_UNSAVED);
	released = kept_notice(s);
	return released != NULL ? released : json_null();
}

json_t *json_box(struct supervisor *s, enum box_what what)
{
	/* Whether the kernel reports passed sessions to the tap. This is set outside the rules. */
	int heard = s->sockets.passed < 0 ? -1 : tap_sessions_heard(s->sockets.passed);
	json_t *j = json_object();

	json_object_set_new(j, "reach", box_reach_json(&s->ground.spaces, s->gens.now->ir));
	json_object_set_new(j, "surroundings", json_surroundings(s));
	if (what == BOX_RULES) {
		json_object_set_new(j, "record_passed", heard < 0 ? json_null() : json_boolean(heard));
		json_object_set_new(
			j, "passed_differs",
			json_boolean(s->sockets.passed >= 0 && heard != (int)s->gens.now->ir->record_passed));
		json_object_set_new(j, "answers", box_answering_json(&s->ground.spaces, s->gens.now->ir));
		return j;
	}
	json_object_set_new(j, "interfaces", box_interfaces_json(&s->ground.spaces, s->gens.now->ir));
	companions_json(j, s->gens.now->ir, s->ground.state_fd, s->ground.o->state, s->ground.o->run,
			&s->reported.ups.watch);
	json_object_set_new(j, "partition", partition_json(&s->workforce.partition));
	json_object_set_new(j, "notice", json_notice(s));
	return j;
}

/* Answers to people who gave orders, sent through control. */

void answer_fd(struct supervisor *s, struct asker a, int status, int fd)
{
	const struct msg_body m = { MSG_ANSWER, .answer = { .status = (uint8_t)status } };

	if (a.id == 0)
		return;
	relay_tell(s); /* control puts the present state into the answer */
	(void)role_send(s, &s->slots[SLOT_CONTROL], a.id, &m, &fd, fd >= 0 ? 1 : 0);
}

void answer_json(struct supervisor *s, struct asker a, int status, json_t *j)
{
	int fd = j != NULL ? json_memfd(j) : -ENOMEM;

	answer_fd(s, a, fd < 0 && status == ANSWER_YES ? ANSWER_CANNOT : status, fd);
	if (fd >= 0)
		close(fd);
}

void answer_no(struct supervisor *s, struct asker a, int status, json_t *why)
{
	answer_json(s, a, status, json_pack("{s:b, s:o}", "done", 0, "error", why));
}

void progress_tell(struct supervisor *s, const struct asker *a, const struct msg_progress *said)
{
	const struct msg_body m = { MSG_PROGRESS, .progress = *said };
	const struct slot *control = &s->slots[SLOT_CONTROL];

	if (a->tell && a->id != 0 && slot_alive(control))
		(void)msg_try(control->chan, a->id, &m);
}

void progress_stage(struct supervisor *s, const struct asker *a, enum progress_stage stage)
{
	progress_tell(s, a, &(struct msg_progress){ .stage = (uint8_t)stage });
}

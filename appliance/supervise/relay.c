/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/slot.h"

_Static_assert(sizeof(struct sentence) == MEANT_BYTES, "a sentence as it is sent");
_Static_assert(SLOTS <= 64, "slots in the bits of STANDING");

/* Whether the question may take a role some time, in which the role is not asked for a sign of life
 * (watch.c). A role answers questions about itself at once. */
static bool is_work(enum msg_type t)
{
	return t != MSG_STATUS && t != MSG_STOP;
}

static void say_gone(struct supervisor *s, uint32_t id, unsigned slot)
{
	const struct msg_body gone = { MSG_GONE, .gone = { .slot = (uint8_t)slot } };

	(void)role_send(s, &s->slots[SLOT_CONTROL], id, &gone, NULL, 0);
}

bool relay_out(struct supervisor *s, struct msg *m)
{
	unsigned slot = relayed_slot(m->id);
	struct slot *sl = slot < SLOTS ? &s->slots[slot] : NULL;

	if ((m->id & RELAYED) == 0 || sl == NULL || slot == SLOT_CONTROL ||
	    !msg_may_say(m->body.type, ROLE_SUPERVISOR, sl->role))
		return false;
	if (!role_send(s, sl, m->id, &m->body, m->fds, m->n_fds))
		say_gone(s, m->id, slot);
	else if (is_work(m->body.type))
		sl->works++;
	return true;
}

bool relay_back(struct supervisor *s, struct slot *sl, struct msg *m)
{
	if ((m->id & RELAYED) == 0)
		return false;
	if (relayed_slot(m->id) != (unsigned)(sl - s->slots))
		return true; /* nobody asked this role: the message is ignored */
	if (m->body.type == MSG_ANSWER && sl->works > 0)
		sl->works--;
	if (m->body.type != MSG_PROGRESS)
		(void)role_send(s, &s->slots[SLOT_CONTROL], m->id, &m->body, m->fds, m->n_fds);
	else if (slot_alive(&s->slots[SLOT_CONTROL]))
		(void)msg_try(s->slots[SLOT_CONTROL].chan, m->id, &m->body);
	return true;
}

void relay_gone(struct supervisor *s, struct slot *sl)
{
	sl->works = 0;
	say_gone(s, 0, (unsigned)(sl - s->slots));
}

/* ---- telling the state ----------------------------------------------------------------------- */

static struct msg_standing standing_of(const struct supervisor *s)
{
	struct msg_standing t = { .lang = (uint8_t)s->o->lang,
				  .busy = s->op.kind != OP_NONE,
				  .changes = s->changes,
				  .number = s->now->number,
				  .trial = s->trial,
				  .step = generation_step(&s->store, s->trial),
				  .trusted = s->clock.wait == CLOCK_TRUSTED };

	for (unsigned i = 0; i < SLOTS; i++) {
		t.wanted |= (uint64_t)(s->slots[i].state != SLOT_OFF) << i;
		t.running |= (uint64_t)(s->slots[i].state == SLOT_RUNNING) << i;
	}
	return t;
}

static bool is_told(const struct msg_standing *a, const struct msg_standing *b)
{
	return a->lang == b->lang && a->busy == b->busy && a->changes == b->changes && a->number == b->number &&
	       a->trial == b->trial && a->step == b->step && a->trusted == b->trusted && a->wanted == b->wanted &&
	       a->running == b->running;
}

static void tell_policy(struct supervisor *s, struct slot *control)
{
	const struct policy *p = s->now;
	const struct msg_body m = { MSG_GENERATION, .generation = { .number = (uint32_t)p->number,
								    .n_sealed = (uint32_t)p->n_sealed,
								    .n_ids = p->ir->n_permits * 4 } };
	int fd;

	if (s->relay.policy == p && s->relay.number == p->number)
		return;
	fd = policy_memfd(p, NULL);
	if (fd < 0)
		return; /* in the next turn */
	if (role_send(s, control, 0, &m, &fd, 1)) {
		s->relay.policy = p;
		s->relay.number = p->number;
	}
	close(fd);
}

static int past_memfd(const struct generation_store *store)
{
	size_t size = store->n * PAST_ROW_BYTES + store->n_turns * TURN_ROW_BYTES;
	uint8_t *buf = malloc(size + 1);
	struct outbuf o = outbuf_of(buf, buf != NULL ? size : 0);
	int fd;

	for (size_t i = 0; buf != NULL && i < store->n; i++) {
		const struct generation_record *g = &store->list[i];
		struct msg_past_row row = { .number = g->number,
					    .applied_ns = g->applied_ns,
					    .state = (uint8_t)g->state,
					    .why = (uint8_t)g->why,
					    .before = g->before,
					    .changed_ns = g->changed_ns,
					    .other = g->other };

		memcpy(row.digest, g->digest, sizeof(row.digest));
		memcpy(row.by, g->by, sizeof(row.by));
		memcpy(row.comment, g->comment, sizeof(row.comment));
		memcpy(row.changed_by, g->changed_by, sizeof(row.changed_by));
		memcpy(row.changed_comment, g->changed_comment, sizeof(row.changed_comment));
		memcpy(row.meant, g->meant.text, sizeof(row.meant));
		msg_put_past_row(&o, &row);
	}
	for (size_t i = 0; buf != NULL && i < store->n_turns; i++)
		msg_put_turn_row(&o, &(struct msg_turn_row){ store->turns[i].ns, store->turns[i].number });
	fd = buf == NULL || o.failed ? -1 : memfd_sealed("sekisho-past", buf, size);
	free(buf);
	return fd;
}

static void tell_past(struct supervisor *s, struct slot *control)
{
	const struct generation_store *now = &s->store;
	const struct msg_body m = { MSG_PAST, .past = { (uint32_t)now->n, (uint32_t)now->n_turns } };
	size_t size = now->n * sizeof(*now->list);
	struct generation_record *copy;
	int fd;

	if (s->relay.past != NULL && s->relay.n_past == now->n && s->relay.n_turns == now->n_turns &&
	    (size == 0 || memcmp(s->relay.past, now->list, size) == 0))
		return;
	copy = malloc(size + 1);
	fd = copy != NULL ? past_memfd(now) : -1;
	if (fd >= 0 && role_send(s, control, 0, &m, &fd, 1)) {
		if (size > 0)
			memcpy(copy, now->list, size);
		free(s->relay.past);
		s->relay.past = copy;
		s->relay.n_past = now->n;
		s->relay.n_turns = now->n_turns;
		copy = NULL;
	}
	free(copy);
	if (fd >= 0)
		close(fd);
}

void relay_tell(struct supervisor *s)
{
	struct slot *control = &s->slots[SLOT_CONTROL];
	struct msg_body m = { .type = MSG_STANDING };

	if (!slot_alive(control) || s->now == NULL)
		return;
	if (s->relay.web >= 0 && role_send(s, control, 0, &(struct msg_body){ .type = MSG_WEB }, &s->relay.web, 1)) {
		close(s->relay.web);
		s->relay.web = -1;
	}
	tell_policy(s, control);
	tell_past(s, control);
	m.standing = standing_of(s);
	if (s->relay.told && is_told(&s->relay.standing, &m.standing))
		return;
	s->relay.told = role_send(s, control, 0, &m, NULL, 0);
	s->relay.standing = m.standing;
}

void relay_begin(struct supervisor *s, struct slot *sl)
{
	if (sl->role != ROLE_CONTROL)
		return;
	/* A new control knows nothing yet, and the channel of the former one to the web side is
	 * closed. */
	s->relay.told = false;
	s->relay.policy = NULL;
	free(s->relay.past);
	s->relay.past = NULL;
	role_kill(s, &s->slots[SLOT_MGMT]);
	relay_tell(s);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of control to other processes, and their answers. */
#include "appliance/supervise/supervise.h"
#include "appliance/wire/slot.h"

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

void relay_undone(struct supervisor *s, uint32_t id)
{
	say_gone(s, id, relayed_slot(id) < SLOTS ? relayed_slot(id) : 0);
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

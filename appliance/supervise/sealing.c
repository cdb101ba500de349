/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/sealing.h"

#include <unistd.h>

#include "appliance/supervise/supervise.h"

static void end(struct sealing *x)
{
	for (size_t i = 0; i < 2; i++)
		if (x->fds[i] >= 0)
			close(x->fds[i]);
	*x = (struct sealing){ .fds = { -1, -1 } };
}

void sealing_died(struct supervisor *s)
{
	const struct msg_body gone = { MSG_GONE, .gone = { .slot = SLOT_COMPILE } };

	/* Ended for an operation it only waits again. */
	if (s->sealing.id == 0 || !s->sealing.runs)
		return;
	(void)role_send(s, &s->slots[SLOT_CONTROL], s->sealing.id, &gone, NULL, 0);
	end(&s->sealing);
}

static void begin(struct supervisor *s)
{
	struct sealing *x = &s->sealing;
	struct slot *sl = &s->slots[SLOT_COMPILE];

	if (x->id == 0 || x->runs || sl->state != SLOT_OFF)
		return;
	roles_want(s, SLOT_COMPILE);
	x->runs = true;
	if (role_send(s, sl, x->id, &(struct msg_body){ .type = MSG_SEAL }, x->fds, 2))
		return;
	if (!slot_alive(sl))
		sl->state = SLOT_OFF;
	sealing_died(s);
}

void sealing_asked(struct supervisor *s, struct msg *m)
{
	sealing_stop(s, 0);
	s->sealing = (struct sealing){ .id = m->id, .fds = { msg_take_fd(m, 0), msg_take_fd(m, 1) } };
}

void sealing_done(struct supervisor *s, struct msg *m)
{
	if (!s->sealing.runs || m->id != s->sealing.id)
		return;
	(void)role_send(s, &s->slots[SLOT_CONTROL], m->id, &m->body, m->fds, m->n_fds);
	end(&s->sealing);
}

void sealing_make_way(struct supervisor *s)
{
	if (!s->sealing.runs)
		return;
	s->sealing.runs = false;
	role_kill(s, &s->slots[SLOT_COMPILE]);
}

void sealing_stop(struct supervisor *s, uint32_t id)
{
	if (s->sealing.id == 0 || (id != 0 && id != s->sealing.id))
		return;
	sealing_make_way(s);
	end(&s->sealing);
}

void sealing_goes_first(struct supervisor *s)
{
	begin(s);
}

void sealing_due(struct supervisor *s)
{
	if (s->op.kind == OP_NONE)
		begin(s);
}

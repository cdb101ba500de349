/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work of the compiler for people: the encryption of a backup, and questions about the policy. The
 * supervisor starts a compiler for one of them at a time; the others wait here. An encryption goes
 * first, and the questions take turns, so that many questions of one asker do not delay another
 * asker. While an operation of the box runs, questions wait, because two compilers at once may take
 * too much memory. An encryption does not wait, because it takes little memory, and repeated dry
 * runs must not prevent every backup.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/control/control.h"
#include "appliance/control/errands.h"
#include "appliance/role/roles.h"

#define ERRANDS 16u /* places for questions; of[0] is another one, for an encryption */

struct errand {
	uint32_t id; /* 0 = none */
	struct msg_body body;
	int fds[2]; /* owned */
	size_t n_fds;
	bool gone; /* it will not be done: its asker has left, or it could not be sent */
};

struct errands {
	struct errand of[1 + ERRANDS];
	size_t last;   /* index of the work that the supervisor has, or had last */
	bool out;      /* the supervisor has that work */
	bool recalled; /* the supervisor was told to give it back, because other work goes first */
	void (*undone)(struct control *s, uint32_t id);
};

int work_open(struct control *s, void (*undone)(struct control *s, uint32_t id), struct err *e)
{
	s->errands = calloc(1, sizeof(*s->errands));
	if (s->errands == NULL)
		return err_set(e, -ENOMEM, "work for the compiler");
	s->errands->undone = undone;
	return 0;
}

static void errand_end(struct errand *x)
{
	for (size_t i = 0; i < x->n_fds; i++)
		if (x->fds[i] >= 0)
			close(x->fds[i]);
	*x = (struct errand){ .id = 0 };
}

static struct errand *errand_of(struct control *s, uint32_t id)
{
	for (size_t i = 0; i < 1 + ERRANDS && id != 0; i++)
		if (s->errands->of[i].id == id)
			return &s->errands->of[i];
	return NULL;
}

static bool is_out(const struct control *s, const struct errand *x)
{
	return s->errands->out && x == &s->errands->of[s->errands->last];
}

static void say_stop(uint32_t id)
{
	(void)msg_send(ROLE_FD_CONTROL, id, &(struct msg_body){ .type = MSG_STOP }, NULL, 0);
}

/* Tells the supervisor to give back the work that it has, unless it was told already. */
static void recall_errand(struct errands *all)
{
	if (all->out && !all->recalled)
		say_stop(all->of[all->last].id);
	all->recalled = all->out;
}

/* Whether the supervisor takes this work now. The compiler of the work before may have answered,
 * but not ended. */
static bool may_go(const struct control *s, size_t at)
{
	return s->errands->of[at].id != 0 && !s->errands->out && s->facts.state[SLOT_ERRAND] == SLOT_OFF &&
	       (at == 0 || !s->facts.busy);
}

bool work_put(struct control *s, uint32_t id, const struct msg_body *body, const int *fds, size_t n)
{
	struct errands *all = s->errands;
	size_t i = body->type == MSG_SEAL ? 0 : 1;

	/* A new encryption replaces another. */
	if (i == 0) {
		recall_errand(all);
		errand_end(&all->of[0]);
	}
	while (i <= ERRANDS && all->of[i].id != 0)
		i++;
	if (i > ERRANDS)
		return false;
	all->of[i] = (struct errand){ .id = id, .body = *body, .fds = { -1, -1 }, .n_fds = n };
	for (size_t k = 0; k < n; k++) {
		all->of[i].fds[k] = fcntl(fds[k], F_DUPFD_CLOEXEC, 3);
		if (all->of[i].fds[k] < 0) {
			errand_end(&all->of[i]);
			return false;
		}
	}
	return true;
}

void work_stop(struct control *s, uint32_t id)
{
	struct errand *x = errand_of(s, id);

	if (x == NULL)
		return;
	x->gone = true;
	if (is_out(s, x) && !s->errands->recalled)
		say_stop(id);
}

void work_told(struct control *s, uint32_t id, bool gone)
{
	struct errand *x = id != 0 || !s->errands->out ? errand_of(s, id) : &s->errands->of[s->errands->last];

	if (x == NULL || !is_out(s, x))
		return;
	id = x->id;
	s->errands->out = false;
	/* Work that was recalled waits again, if its asker still waits. */
	if (gone && s->errands->recalled && !x->gone) {
		s->errands->recalled = false;
		return;
	}
	s->errands->recalled = false;
	errand_end(x);
	if (gone)
		s->errands->undone(s, id);
}

void work_due(struct control *s, uint64_t now)
{
	struct errands *all = s->errands;

	for (struct errand *x = all->of; x < all->of + 1 + ERRANDS; x++) {
		uint32_t id = x->id;

		if (id == 0 || !x->gone || is_out(s, x))
			continue;
		errand_end(x);
		all->undone(s, id);
	}
	if (s->facts.busy && all->last != 0)
		recall_errand(all);
	for (size_t i = 0; i < 1 + ERRANDS; i++) {
		size_t at = i == 0 ? 0 : 1 + (all->last + i - 1) % ERRANDS;
		struct errand *x = &all->of[at];

		if (!may_go(s, at))
			continue;
		all->last = at;
		all->out = msg_send(ROLE_FD_CONTROL, x->id, &x->body, x->fds, x->n_fds) == 0;
		if (all->out)
			return;
		x->gone = true; /* `undone` is told in the next turn */
	}
}

uint64_t work_next(const struct control *s)
{
	const struct errands *all = s->errands;

	for (size_t i = 0; i < 1 + ERRANDS; i++)
		if (may_go(s, i) || (all->of[i].gone && !is_out(s, &all->of[i])))
			return 0;
	return UINT64_MAX;
}

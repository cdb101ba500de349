/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This role handles one question at a time, and the asker of a long one may leave. The role is not
 * killed for that. Between two steps of long work it reads its channel, keeps other messages in
 * order, and stops the work when nobody waits for it. Only work that changes nothing is begun with
 * stop_begin; all else is finished in any case.
 */
#include "appliance/enforce/stop.h"

#include <errno.h>
#include <poll.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"

#define HEAR_NS 1000000u

static struct msg *kept(struct hearing *h, size_t i)
{
	return &h->kept[(h->first + i) % HEARING_MOST];
}

/* Reads what was sent, as far as there is room; errors like -EBADMSG are left to the channel's
 * normal reader. */
static void hear(struct enforce *f)
{
	struct hearing *h = &f->hearing;

	while (h->n < HEARING_MOST && h->broken == 0) {
		struct pollfd p = { .fd = f->control, .events = POLLIN };
		struct msg *m = kept(h, h->n);
		int r;

		if (poll(&p, 1, 0) <= 0)
			return;
		r = msg_recv(f->control, ROLE_SUPERVISOR, ROLE_ENFORCE, m);
		if (r == -EAGAIN || r == -EINTR)
			return;
		if (r != 1) {
			h->broken = r < 0 ? r : -EPIPE;
			h->stop = true; /* nobody waits for an answer */
			return;
		}
		if (m->body.type == MSG_STOP && m->id == h->work)
			h->stop = true;
		else
			h->n++;
	}
}

bool stop_begin(struct enforce *f, uint32_t id)
{
	struct hearing *h = &f->hearing;

	h->work = id;
	h->working = true;
	h->stop = false;
	for (size_t i = 0; i < h->n; i++)
		h->stop |= kept(h, i)->body.type == MSG_STOP && kept(h, i)->id == id;
	hear(f);
	return !h->stop;
}

void stop_end(struct enforce *f, bool left_off)
{
	struct hearing *h = &f->hearing;

	h->stopped += left_off && h->working && h->stop && h->broken == 0;
	h->working = h->stop = false;
}

bool stop_asked(struct enforce *f)
{
	struct hearing *h = &f->hearing;
	uint64_t now;

	if (!h->working || h->stop)
		return h->stop;
	now = clock_mono().ns;
	if (now >= h->again_ns) {
		h->again_ns = now + HEAR_NS;
		hear(f);
	}
	return h->stop;
}

bool stop_keeps(const struct enforce *f)
{
	return f->hearing.n > 0 || f->hearing.broken != 0;
}

int stop_serve(struct enforce *f, msg_handler *const handlers[MSG_TYPE_COUNT])
{
	struct hearing *h = &f->hearing;
	struct msg *m = kept(h, 0);
	bool ok;

	if (h->n == 0)
		return h->broken != 0 ? h->broken : msg_serve(f->control, ROLE_ENFORCE, handlers, f);
	/* The place is in use until the handler returns, because the message lies in it. */
	ok = msg_dispatch(handlers, f, m);
	h->first = (h->first + 1) % HEARING_MOST;
	h->n--;
	return ok ? 1 : -EBADMSG;
}

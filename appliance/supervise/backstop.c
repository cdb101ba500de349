/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/backstop.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/sockets.h"
#include "appliance/supervise/supervise.h"

/* So long enforce has: ten times what it takes on a busy machine, and half of what may pass by at most. */
#define ENFORCE_HAS_NS 50000000ull

/* In the data namespace. */
static int open_here(void *ctx, struct err *e)
{
	struct backstop *b = ctx;
	int r = forwarding_open(&b->forwarding, e);

	if (r == 0)
		r = b->monitor = enforce_socket_open(true, e);
	if (r < 0)
		forwarding_close(&b->forwarding);
	return r;
}

int backstop_follow(struct supervisor *s, int requests, struct err *e)
{
	struct sockaddr_nl self = { 0 };
	socklen_t n = sizeof(self);
	int r;

	if (getsockname(requests, (struct sockaddr *)&self, &n) < 0)
		return err_set(e, -errno, "whose changes of the rules are heard");
	if (s->backstop.monitor < 0) {
		r = in_namespace(s, s->spaces.data, open_here, &s->backstop, e);
		if (r < 0)
			return r;
	}
	return enforce_socket_ignore(s->backstop.monitor, self.nl_pid, e);
}

void backstop_heard(struct supervisor *s)
{
	struct backstop *b = &s->backstop;

	if (b->monitor >= 0 && enforce_socket_touched(b->monitor) && b->heard_ns == 0)
		b->heard_ns = mono_ns();
}

void backstop_answered(struct supervisor *s, const struct msg_drift *d)
{
	if (d->what == DRIFT_CHANGED || d->what == DRIFT_FLUSHED || d->what == DRIFT_SHUT)
		s->backstop.heard_ns = 0;
}

static void shut(struct supervisor *s)
{
	struct event ev = event_new(EVENT_DRIFT, clock_wall_ns());
	struct err e = { 0 };

	ev.verdict = EV_DENY;
	ev.value = (mono_ns() - s->backstop.heard_ns) / 1000;
	if (forwarding_set(&s->backstop.forwarding, false, &e) < 0) {
		ev.code = DRIFT_UNMENDED;
		event_say(&ev, EVENT_OBJECT, e.text);
		say(s, M_DRIFT_STILL_ON, e.text);
	} else {
		ev.code = DRIFT_STOOD_IN;
		say(s, M_DRIFT_STOOD_IN);
	}
	event_send(&s->events, &ev);
}

void backstop_due(struct supervisor *s, uint64_t now)
{
	struct backstop *b = &s->backstop;

	if (now < backstop_next(s))
		return;
	/* Off already: enforce is at it, or nothing was to pass. */
	if (forwarding_is_on(&b->forwarding))
		shut(s);
	b->heard_ns = 0;
}

uint64_t backstop_next(const struct supervisor *s)
{
	return s->backstop.heard_ns != 0 ? s->backstop.heard_ns + ENFORCE_HAS_NS : UINT64_MAX;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "appliance/base/clock.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/tap/tap.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

#define RECEIVE_BYTES 65536u
#define REPORT_NS 1000000000ull

enum source_kind { DROPS, SESSIONS, NEIGHBOURS, SOURCES };

struct tap_role {
	struct tap tap;
	struct event_port events;
	uint64_t told; /* losses that were reported */
	/*
	 * By source: how often its socket overran. For drops the next sequence number shows how
	 * many records were lost. For sessions the kernel does not say how many. For neighbours
	 * nothing is lost for good, because a device that was missed is heard when it sends again.
	 */
	uint64_t overruns[SOURCES];
	uint64_t sessions;	/* records of sessions */
	uint64_t sessions_told; /* overruns that were reported */
	uint64_t chatter;
	struct sighted sighted;
	uint64_t report_at;
	uint64_t heard_told; /* number of records at the last report to the supervisor */
	uint64_t heard_at;
};

static bool on_status(void *ctx, struct msg *m)
{
	const struct tap_role *t = ctx;
	const struct msg_body answer = { MSG_TAP_STATUS, .tap_status = { .records = t->tap.records,
									 .lost = t->tap.lost,
									 .malformed = t->tap.malformed,
									 .overruns = t->overruns[DROPS],
									 .chatter = t->chatter,
									 .sessions = t->sessions,
									 .sessions_overruns = t->overruns[SESSIONS],
									 .sightings = t->sighted.all,
									 .neighbours_overruns = t->overruns[NEIGHBOURS],
									 .events_lost = t->events.lost } };

	return msg_send(ROLE_FD_CONTROL, m->id, &answer, NULL, 0) == 0;
}

static bool on_in_force(void *ctx, struct msg *m)
{
	struct tap_role *t = ctx;

	t->events.now = m->body.in_force.now;
	sighted_anew(&t->sighted);
	return true;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_STATUS] = on_status,
	[MSG_IN_FORCE] = on_in_force,
};

/* ---- what the kernel says -------------------------------------------------------------------- */

static void sighting(struct tap_role *t, const struct sighting *s)
{
	struct event e;

	if (sighted_in(&t->sighted, s, clock_mono().ns, &e))
		event_send(&t->events, &e);
}

/* The functions for the sources. Each takes one message off the datagram. */
static void take_drop(struct tap_role *t, struct bytes *datagram)
{
	struct event e;
	bool record = tap_next(&t->tap, datagram, &e);

	sighting(t, &t->tap.seen);
	if (record && tap_is_chatter(&e))
		t->chatter++;
	else if (record)
		event_send(&t->events, &e);
}

static void take_session(struct tap_role *t, struct bytes *datagram)
{
	struct event e;

	if (!tap_session_next(datagram, &e, &t->tap.malformed))
		return;
	t->sessions++;
	event_send(&t->events, &e);
}

static void take_neighbour(struct tap_role *t, struct bytes *datagram)
{
	struct sighting s;

	if (tap_neighbour_next(datagram, &s, &t->tap.malformed))
		sighting(t, &s);
}

static const struct source {
	int fd;
	int most; /* datagrams in one turn */
	void (*take)(struct tap_role *t, struct bytes *datagram);
} sources[SOURCES] = {
	[DROPS] = { TAP_FD_LOG, 64, take_drop },
	[SESSIONS] = { TAP_FD_SESSIONS, 256, take_session },
	[NEIGHBOURS] = { TAP_FD_NEIGHBOURS, 256, take_neighbour },
};

static void drain_source(struct tap_role *t, enum source_kind kind)
{
	static uint8_t buf[RECEIVE_BYTES];
	const struct source *s = &sources[kind];

	for (int i = 0; i < s->most; i++) {
		ssize_t n = recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT);
		struct bytes b;

		if (n < 0 && errno == ENOBUFS) {
			t->overruns[kind]++;
			continue;
		}
		if (n <= 0)
			return;
		b = bytes_of(buf, (size_t)n);
		while (b.left > 0)
			s->take(t, &b);
	}
}

/* ---- the role -------------------------------------------------------------------------------- */

static bool owes(const struct tap_role *t)
{
	return t->tap.lost != t->told || t->overruns[SESSIONS] != t->sessions_told || sighted_owes(&t->sighted);
}

/* Reports that records come. Control compares this with the kernel's counters
 * (control/unserved.h). */
static void report_heard(struct tap_role *t, uint64_t now)
{
	if (t->tap.records == t->heard_told || now < t->heard_at)
		return;
	t->heard_at = now + REPORT_NS;
	if (msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_HEARD }, NULL, 0) == 0)
		t->heard_told = t->tap.records;
}

static void report_losses(struct tap_role *t, uint64_t now)
{
	struct event e = event_new(EVENT_LOST, clock_wall_ns());

	if (!owes(t) || now < t->report_at)
		return;
	t->report_at = now + REPORT_NS;
	if (t->tap.lost != t->told) {
		e.value = ROLE_TAP;
		e.count = t->tap.lost - t->told;
		event_send(&t->events, &e);
		t->told = t->tap.lost;
	}
	if (t->overruns[SESSIONS] != t->sessions_told) {
		e = event_new(EVENT_PASSED, clock_wall_ns());
		e.verdict = EV_ALLOW;
		e.code = PASSED_MISSED;
		e.count = t->overruns[SESSIONS] - t->sessions_told;
		event_send(&t->events, &e);
		t->sessions_told = t->overruns[SESSIONS];
	}
	while (sighted_over(&t->sighted, &e))
		event_send(&t->events, &e);
}

int role_tap(void)
{
	static struct tap_role t = { .events = { .fd = ROLE_FD_EVENTS } };
	struct err e = { 0 };

	if (sandbox_enter(ROLE_TAP, &e) < 0) {
		fprintf(stderr, "sekishod tap: %s\n", e.text);
		return 1;
	}
	if (msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		return 0;
	for (;;) {
		struct pollfd p[SOURCES + 1] = { [SOURCES] = { .fd = ROLE_FD_CONTROL, .events = POLLIN } };

		for (unsigned i = 0; i < SOURCES; i++)
			p[i] = (struct pollfd){ .fd = sources[i].fd, .events = POLLIN };
		if (poll(p, SOURCES + 1, owes(&t) || t.tap.records != t.heard_told ? 1000 : -1) < 0)
			continue;
		for (unsigned i = 0; i < SOURCES; i++)
			if (p[i].revents != 0)
				drain_source(&t, (enum source_kind)i);
		report_losses(&t, clock_mono().ns);
		report_heard(&t, clock_mono().ns);
		if (p[SOURCES].revents != 0) {
			int r = msg_serve(ROLE_FD_CONTROL, ROLE_TAP, handlers, &t);

			if (r != 1 && r != -EAGAIN)
				return 0;
		}
	}
}

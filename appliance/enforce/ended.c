/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions whose permit ends by time. The kernel ends the permit by itself, but an idle session
 * would end only at its next packet. So shortly after an end the sessions that nothing allows any
 * more are listed for the workers, as at an apply: the workers know the sequence numbers of the
 * sessions that they follow and can reset them. While this process does not run, only these resets
 * are missing.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/enforce/enforce.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/wire/cuts.h"
#include "appliance/wire/msg.h"
#include "policy/ir/evaluate.h"

#define ENDED_BUDGET (64u << 20)
/* milliseconds after the end of a cell: labels end later than their cells (kernel/image.c), and
 * only a session whose label has ended is reset */
#define LATE_MS 150u

/* milliseconds before an end: then the counters are read once more, to know which conduits were
 * used. Sessions that begin later are missed */
#define LOOK_MS 200u

struct ending {
	struct arena *a;
	/* the policy whose permit ended; the policy that may still allow the session */
	const struct generation_held *g, *by;
	uint64_t since, now; /* permits that ended after `since` and up to `now` */
	struct cut_session *list;
	size_t n, room;
};

/* The end of a lingering permit; 0 = none. */
static uint64_t lingering_end(const struct generation_held *g, uint32_t id)
{
	const struct image_elements *agree = &g->kept.elements[SET_AGREE];
	uint32_t permit;

	for (size_t i = 0; i < agree->n; i++) {
		memcpy(&permit, agree->list[i].key, sizeof(permit));
		if (permit == id)
			return agree->list[i].until;
	}
	return 0;
}

/* The end of a permit in (since, now], or else its next end. */
static uint64_t permit_end(const struct generation_held *g, uint32_t index, uint64_t since)
{
	return g->over_s[index] > since ? g->over_s[index] : g->ir.permits[index].until;
}

static int note(const struct session *s, void *ctx)
{
	struct ending *d = ctx;
	uint32_t id = mark_permit(s->mark), index = generation_permit(d->g, id);
	uint64_t until = index != UINT32_MAX ? permit_end(d->g, index, d->since) : lingering_end(d->g, id);
	struct question q = {
		.source = s->client,
		.destination = s->server,
		.l4proto = s->l4proto,
		.port = s->server_port,
		.now = d->now,
	};
	struct cut_session *c;

	if (s->ending || s->l4proto != IPPROTO_TCP || until <= d->since || until > d->now ||
	    evaluate_ir(&d->by->ir, &q) != NULL)
		return 0;
	if (d->by != d->g && (generation_permit(d->by, id) != UINT32_MAX || generation_lingers(d->by, id)))
		return 0; /* its label is still valid for a moment; the next look lists it */
	if (d->n >= CUTS_MAX_BYTES / sizeof(*c))
		return 0; /* the list is full; further sessions end at their next packet */
	c = arena_grow(d->a, (void **)&d->list, &d->n, &d->room, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	*c = (struct cut_session){ s->client, s->server, s->client_port, s->server_port, 0 };
	return 0;
}

static void restart(void *ctx)
{
	struct ending *d = ctx;

	d->n = 0;
}

static void earlier(uint64_t until, uint64_t after, uint64_t *ret)
{
	if (until > after && until < *ret)
		*ret = until;
}

/* The first end after this time; UINT64_MAX when there is none. */
static uint64_t next_end(const struct generation_held *g, uint64_t after)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < g->ir.n_permits; i++) {
		earlier(g->ir.permits[i].until, after, &next);
		earlier(g->over_s[i], after, &next);
	}
	for (size_t i = 0; i < g->kept.elements[SET_AGREE].n; i++)
		earlier(g->kept.elements[SET_AGREE].list[i].until, after, &next);
	return next;
}

static void tell(struct enforce *f, struct ending *d)
{
	struct err e;
	int fd = -1;

	d->a = arena_new(ENDED_BUDGET);
	if (d->a != NULL && conntrack_dump(&f->net, note, restart, d, &e) == 0 && d->n > 0)
		fd = memfd_sealed("sekisho-ended", d->list, d->n * sizeof(*d->list));
	if (fd >= 0) {
		(void)msg_send(f->control, 0, &(struct msg_body){ .type = MSG_CUTS }, &fd, 1);
		close(fd);
	}
	arena_free(d->a);
}

void enforce_ended_leave(struct enforce *f, const struct generation_held *old)
{
	struct ending d = { .g = old, .by = f->now, .since = f->ended_s, .now = clock_wall_ns() / 1000000000u };

	if (!f->waits && next_end(old, f->ended_s) <= d.now)
		tell(f, &d);
}

int enforce_ended(struct enforce *f)
{
	uint64_t ms = clock_wall_ns() / 1000000u, now = ms / 1000u, next;

	if (f->now == NULL || f->waits)
		return -1; /* nothing open has an end */
	/* A clock that was set back reaches an end a second time. */
	if (f->ended_s > now)
		f->ended_s = now;
	next = next_end(f->now, f->ended_s);
	if (next == UINT64_MAX)
		return -1;
	if (next * 1000u + LATE_MS <= ms) {
		struct ending d = { .g = f->now, .by = f->now, .since = f->ended_s, .now = (ms - LATE_MS) / 1000u };

		tell(f, &d);
		f->ended_s = d.now;
		next = next_end(f->now, f->ended_s);
	}
	if (next == UINT64_MAX || next * 1000u + LATE_MS - ms > INT32_MAX)
		return -1;
	if (f->used_until_s != next && next * 1000u > ms + LOOK_MS)
		return (int)(next * 1000u - LOOK_MS - ms);
	if (f->used_until_s != next) {
		f->used_until_s = next;
		enforce_used_look(f);
	}
	return next * 1000u + LATE_MS <= ms ? 0 : (int)(next * 1000u + LATE_MS - ms);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions whose time is over: the kernel ends them by itself, by their permit or by the limits of
 * their conduit. But an idle session would notice that only at its next packet. So this file
 * records such sessions and reports them to the workers, which know the sequence numbers of the
 * sessions that they follow, and reset both ends. While this process does not run, sessions end all
 * the same, but are not recorded or reset.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/enforce/ended.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/session.h"
#include "appliance/enforce/used.h"
#include "appliance/kernel/batch.h"
#include "appliance/kernel/dump.h"
#include "appliance/wire/cuts.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/reason.h"

/* The sessions that workers are to reset. */
struct cuts {
	struct cut_session *list;
	size_t n, room;
};

/* Adds a session for workers to reset. If the list is full, the session ends at its next packet. 0
 * or -ENOMEM. */
static int cuts_add(struct cuts *c, struct arena *a, const struct session *s, uint32_t mark)
{
	struct cut_session *cut;

	if (c->n >= CUTS_MAX_BYTES / sizeof(*cut))
		return 0;
	cut = arena_grow(a, (void **)&c->list, &c->n, &c->room, sizeof(*cut));
	if (cut == NULL)
		return -ENOMEM;
	*cut = (struct cut_session){ s->client, s->server, s->client_port, s->server_port, mark };
	return 0;
}

static void cuts_tell(struct enforce *f, const struct cuts *c)
{
	int fd = c->n > 0 ? memfd_sealed("sekisho-cuts", c->list, c->n * sizeof(*c->list)) : -1;

	if (fd < 0)
		return;
	(void)msg_send(f->roles.control, 0, &(struct msg_body){ .type = MSG_CUTS }, &fd, 1);
	close(fd);
}

/* ---- the end of a permit --------------------------------------------------------------------- */

/* Shortly after the end of a permit, the sessions that nothing allows any more are listed, as at an
 * apply. */

#define ENDED_BUDGET (64u << 20)
/* milliseconds after the end of a cell: labels end later than their cells (kernel/image.c), and
 * only a session whose label has ended is reset */
#define LATE_MS 150u

/* milliseconds before the end of a permit: then its counters are read once more, to know which
 * conduits were used. Sessions that begin after that are missed */
#define LOOK_MS 200u

struct ending {
	struct arena *a;
	/* the policy whose permit ended; the policy that may still allow the session */
	const struct generation_held *g, *by;
	uint64_t since, now; /* permits that ended after `since` and up to `now` */
	struct cuts cuts;
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

static int note_ended(const struct session *s, void *ctx)
{
	struct ending *d = ctx;
	uint32_t id = mark_permit(s->mark), index = generation_permit(d->g, id);
	uint64_t until = index != UINT32_MAX ? permit_end(d->g, index, d->since) : lingering_end(d->g, id);
	const struct question q = session_question(s, d->now);

	if (s->ending || s->l4proto != IPPROTO_TCP || until <= d->since || until > d->now ||
	    evaluate_ir(&d->by->ir, &q) != NULL)
		return 0;
	if (d->by != d->g && (generation_permit(d->by, id) != UINT32_MAX || generation_lingers(d->by, id)))
		/* the session's label is still valid for a moment; the next look lists the
		 * session */
		return 0;
	return cuts_add(&d->cuts, d->a, s, 0);
}

static void restart_ended(void *ctx)
{
	struct ending *d = ctx;

	d->cuts.n = 0;
}

static void keep_earlier(uint64_t until, uint64_t after, uint64_t *ret)
{
	if (until > after && until < *ret)
		*ret = until;
}

/* The first end after this time; UINT64_MAX when there is none. */
static uint64_t next_end(const struct generation_held *g, uint64_t after)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < g->ir.n_permits; i++) {
		keep_earlier(g->ir.permits[i].until, after, &next);
		keep_earlier(g->over_s[i], after, &next);
	}
	for (size_t i = 0; i < g->kept.elements[SET_AGREE].n; i++)
		keep_earlier(g->kept.elements[SET_AGREE].list[i].until, after, &next);
	return next;
}

static void tell_ended(struct enforce *f, struct ending *d)
{
	struct err e;

	d->a = arena_new(ENDED_BUDGET);
	if (d->a != NULL && conntrack_dump(&f->kernel.net, note_ended, restart_ended, d, &e) == 0)
		cuts_tell(f, &d->cuts);
	arena_free(d->a);
}

void enforce_ended_leave(struct enforce *f, const struct generation_held *old)
{
	struct ending d = { .g = old, .by = f->now, .since = f->timing.ended_s, .now = clock_wall_s() };

	if (!f->timing.waits && next_end(old, f->timing.ended_s) <= d.now)
		tell_ended(f, &d);
}

int enforce_ended(struct enforce *f)
{
	uint64_t ms = clock_wall_ns() / 1000000u, now = ms / 1000u, next;

	if (f->now == NULL || f->timing.waits)
		return -1; /* nothing open has an end */
	/* If the clock was set back, it reaches an end a second time. */
	if (f->timing.ended_s > now)
		f->timing.ended_s = now;
	next = next_end(f->now, f->timing.ended_s);
	if (next == UINT64_MAX)
		return -1;
	if (next * 1000u + LATE_MS <= ms) {
		struct ending d = {
			.g = f->now, .by = f->now, .since = f->timing.ended_s, .now = (ms - LATE_MS) / 1000u
		};

		tell_ended(f, &d);
		f->timing.ended_s = d.now;
		next = next_end(f->now, f->timing.ended_s);
	}
	if (next == UINT64_MAX || next * 1000u + LATE_MS - ms > INT32_MAX)
		return -1;
	if (f->timing.used_until_s != next && next * 1000u > ms + LOOK_MS)
		return (int)(next * 1000u - LOOK_MS - ms);
	if (f->timing.used_until_s != next) {
		f->timing.used_until_s = next;
		enforce_used_look(f);
	}
	return next * 1000u + LATE_MS <= ms ? 0 : (int)(next * 1000u + LATE_MS - ms);
}

/* ---- limits of duration and silence ---------------------------------------------------------- */

/*
 * The kernel counts the time of these sessions and ends them by itself
 * (policy/ir/skeleton/sessions.c). What is left to do here: - sessions that end while idle are
 * reported and recorded; - datagram sessions that have ended may begin anew; - the elements of
 * sessions that are gone are removed; - a changed limit is applied to live sessions, with the age
 * that they have.
 */

#define LIMITS_BUDGET (96u << 20)
#define SOON_S 1u    /* seconds between looks while many sessions end */
#define SELDOM_S 30u /* seconds between looks that only remove elements of sessions that are gone */
/* seconds: an element that ends so soon is left to the kernel, which refuses a transaction that
 * deletes a missing element */
#define NEAR_S 3u
#define RECORDS_MOST 256u

struct counting {
	struct enforce *f;
	struct arena *a;
	uint64_t now_s; /* seconds since 1970, before the sessions were read */
	struct session *list;
	size_t n, room;
	struct image have;
	bool *seen[2]; /* by element of SET_AGES, SET_IDLES: its session exists */
	struct cuts cuts;
	struct batch *batch;
	uint64_t next_s, ended;
};

static int limit_note(const struct session *s, void *ctx)
{
	struct counting *c = ctx;
	struct session *kept = (s->mark & MARK_LIMITS) == 0
				       ? NULL
				       : arena_grow(c->a, (void **)&c->list, &c->n, &c->room, sizeof(*kept));

	if (kept != NULL)
		*kept = *s;
	return (s->mark & MARK_LIMITS) != 0 && kept == NULL ? -ENOMEM : 0;
}

static void limit_restart(void *ctx)
{
	struct counting *c = ctx;

	c->n = 0;
}

static void record_limit(struct counting *c, const struct session *s, bool idle)
{
	struct event e = event_new(EVENT_FLOW, clock_wall_ns());

	e.verdict = EV_DENY;
	e.reason = (uint16_t)(idle ? R_LIMIT_IDLE : R_LIMIT_SESSION);
	e.permit = mark_permit(s->mark);
	e.client = s->client;
	e.server = s->server;
	e.client_port = s->l4proto == IPPROTO_TCP || s->l4proto == IPPROTO_UDP ? s->client_port : 0;
	e.server_port = s->server_port;
	e.l4proto = s->l4proto;
	if (c->ended++ < RECORDS_MOST)
		event_send(&c->f->roles.events, &e);
	else
		c->f->roles.events.lost++;
}

/* To be called when the session's time is over. The rules refuse its next packet in any case; a
 * worker that follows the session resets both ends now. */
static int end_session(struct counting *c, const struct session *s, bool idle, struct err *e)
{
	if (s->ending)
		return 0;
	record_limit(c, s, idle);
	if (s->l4proto != IPPROTO_TCP)
		return conntrack_delete(&c->f->kernel.net, s, e);
	(void)cuts_add(&c->cuts, c->a, s, idle ? MARK_IDLED : MARK_AGED);
	return conntrack_mark(&c->f->kernel.net, s, (s->mark & MARK_LANE_MASK) | (idle ? MARK_IDLES : MARK_AGES), e);
}

/* Sets the end of a session by its age and the permit's present limit. */
static void follow_limit(struct counting *c, const struct image_element *el, unsigned set, uint32_t limit)
{
	struct image_element to = *el;

	to.data = limit;
	to.until = el->until + limit - el->data;
	if (limit == 0 || limit == el->data || el->until <= c->now_s + NEAR_S)
		return;
	batch_element_delete(c->batch, set, el);
	if (to.until > c->now_s)
		batch_element_add(c->batch, set, &to, clock_wall_ns() / 1000000u);
	if (to.until < c->next_s)
		c->next_s = to.until;
}

static int look_at(struct counting *c, const struct session *s, bool idle, struct err *e)
{
	unsigned set = idle ? SET_IDLES : SET_AGES;
	uint32_t index = generation_permit(c->f->now, mark_permit(s->mark));
	const struct ir_permit *p = index != UINT32_MAX ? &c->f->now->ir.permits[index] : NULL;
	const struct image_element *el;
	/* the id in the kernel's byte order; the dump applied ntohl() to it */
	uint32_t number = htonl(s->id);
	uint8_t key[IMAGE_KEY] = { 0 };

	if ((s->mark & (idle ? MARK_IDLES : MARK_AGES)) == 0)
		return 0;
	memcpy(key, &number, sizeof(number));
	el = image_find(&c->have, set, key, key);
	if (el == NULL)
		return end_session(c, s, idle, e);
	c->seen[idle][el - c->have.elements[set].list] = true;
	if (el->until < c->next_s)
		c->next_s = el->until;
	follow_limit(c, el, set, p == NULL ? 0 : idle ? p->idle : p->session);
	return 0;
}

/* Deletes elements of sessions that began before the list was read and are not in it. */
static void make_room(struct counting *c, unsigned set, const bool *seen)
{
	const struct image_elements *all = &c->have.elements[set];

	for (size_t i = 0; i < all->n; i++)
		if (!seen[i] && all->list[i].until > c->now_s + NEAR_S &&
		    all->list[i].until + NEAR_S < c->now_s + all->list[i].data)
			batch_element_delete(c->batch, set, &all->list[i]);
}

static int count_limits(struct counting *c, struct err *e)
{
	struct enforce *f = c->f;
	uint32_t line;
	int r = conntrack_dump(&f->kernel.net, limit_note, limit_restart, c, e);

	/* Sessions are read before elements. So if a session begins meanwhile, its element is newer
	 * than the list. */
	if (r == 0)
		r = netlink_dump_limits(&f->kernel.net, c->a, &c->have, e);
	for (unsigned idle = 0; idle < 2 && r == 0; idle++) {
		c->seen[idle] = arena_array(c->a, c->have.elements[SET_AGES + idle].n + 1, sizeof(bool));
		if (c->seen[idle] == NULL)
			return err_set(e, -ENOMEM, "sessions that are limited");
	}
	for (size_t i = 0; i < c->n && r == 0; i++) {
		r = look_at(c, &c->list[i], false, e);
		if (r == 0)
			r = look_at(c, &c->list[i], true, e);
		if (r == -ENOENT)
			r = 0; /* the session ended meanwhile */
	}
	for (unsigned idle = 0; idle < 2 && r == 0; idle++)
		make_room(c, SET_AGES + idle, c->seen[idle]);
	if (r == 0 && batch_messages(c->batch) > 0)
		/* after a failure the next look tries again */
		(void)batch_commit(c->batch, &f->kernel.net, e, &line);
	return r;
}

static uint32_t shortest(const struct ir_limits *l)
{
	uint32_t s = SELDOM_S;

	for (uint32_t i = 0; i < l->n; i++)
		s = (l->list[i] & IR_LIMIT_S) < s ? l->list[i] & IR_LIMIT_S : s;
	return s;
}

int enforce_lasting(struct enforce *f)
{
	struct counting c = { .f = f, .now_s = clock_wall_s(), .next_s = UINT64_MAX };
	struct ir_limits l = { .n = 0 };
	uint64_t now = clock_mono().ns, wait_s;
	struct err e;

	if (f->now == NULL)
		return -1;
	if (now < f->timing.lasting_ns)
		return (int)((f->timing.lasting_ns - now) / 1000000u) + 1;
	ir_limits_add_all(&l, &f->now->ir);
	wait_s = shortest(&l);
	c.a = l.n > 0 || f->now->kept.elements[SET_LIMITED].n > 0 ? arena_new(LIMITS_BUDGET) : NULL;
	c.batch = c.a != NULL ? batch_new(0) : NULL;
	if (c.batch != NULL && count_limits(&c, &e) == 0 && c.next_s < c.now_s + wait_s)
		wait_s = c.next_s > c.now_s + SOON_S ? c.next_s - c.now_s : SOON_S;
	if (c.batch != NULL) {
		cuts_tell(f, &c.cuts);
		batch_free(c.batch);
	}
	arena_free(c.a);
	f->timing.lasting_ns = clock_mono().ns + wait_s * 1000000000u;
	return (int)(wait_s * 1000u);
}

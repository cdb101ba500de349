/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This role does one thing after the other. The person who asked for long work may have left, and
 * the role must not be killed to end that work. So between two steps of such work it reads the
 * channel, keeps other messages in their order, and ends work that nobody waits for. Only work that
 * changes nothing is begun with stop_begin; all other work is always finished.
 *
 * A person's order about an isolation, a door or the clock does not wait for a question: work on
 * the question is interrupted, and repeated after all messages that came meanwhile.
 */
#include <errno.h>
#include <poll.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/work.h"

/* ---- ending it ------------------------------------------------------------------------------- */

#define HEAR_NS 1000000u

static struct msg *kept_message(struct hearing *h, size_t i)
{
	return &h->kept[(h->first + i) % HEARING_MOST];
}

/* Whether the message is a person's order, which must not wait for long work. */
static bool is_urgent(const struct msg *m)
{
	return m->id != 0 && ((m->body.type == MSG_ISOLATE && !m->body.isolate.rehearse) || m->body.type == MSG_DOOR ||
			      m->body.type == MSG_DOORS || m->body.type == MSG_CLOCK);
}

/* Reads messages as far as there is room. One place is left free, for an interrupted question.
 * Errors such as -EBADMSG are left to the reader of the channel. */
static void hear_all(struct enforce *f)
{
	struct hearing *h = &f->hearing;

	while (h->n < HEARING_MOST - 1 && h->broken == 0) {
		struct pollfd p = { .fd = f->roles.control, .events = POLLIN };
		struct msg *m = kept_message(h, h->n);
		int r;

		if (poll(&p, 1, 0) <= 0)
			return;
		r = msg_recv(f->roles.control, ROLE_SUPERVISOR, ROLE_ENFORCE, m);
		if (r == -EAGAIN || r == -EINTR)
			return;
		if (r != 1) {
			h->broken = r < 0 ? r : -EPIPE;
			h->stop = true; /* nobody waits for an answer */
			return;
		}
		h->urgent |= is_urgent(m);
		if (m->body.type == MSG_STOP && m->id == h->work)
			h->gone = true;
		else
			h->n++;
	}
}

static void hear_control(struct enforce *f)
{
	struct hearing *h = &f->hearing;

	hear_all(f);
	h->stop |= h->gone || (h->way && h->urgent);
}

bool stop_begin(struct enforce *f, uint32_t id, bool way)
{
	struct hearing *h = &f->hearing;

	h->work = id;
	h->working = true;
	h->way = way;
	h->stop = h->gone = h->urgent = false;
	for (size_t i = 0; i < h->n; i++) {
		h->gone |= kept_message(h, i)->body.type == MSG_STOP && kept_message(h, i)->id == id;
		h->urgent |= is_urgent(kept_message(h, i));
	}
	hear_control(f);
	return !h->stop;
}

bool stop_made_way(struct hearing *hearing, const struct msg *m)
{
	struct hearing *h = hearing;
	struct msg *again;

	if (!h->working || !h->stop || h->gone || h->broken != 0 || h->n == HEARING_MOST)
		return false;
	again = kept_message(h, h->n++);
	again->body = m->body;
	again->id = m->id;
	again->version = m->version;
	again->n_fds = 0;
	return true;
}

void stop_end(struct hearing *hearing, bool left_off)
{
	struct hearing *h = hearing;

	h->stopped += left_off && h->working && h->gone;
	h->working = h->way = h->stop = h->gone = h->urgent = false;
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
		hear_control(f);
	}
	return h->stop;
}

bool stop_keeps(const struct hearing *hearing)
{
	return hearing->n > 0 || hearing->broken != 0;
}

int stop_serve(struct enforce *f, msg_handler *const handlers[MSG_TYPE_COUNT])
{
	struct hearing *h = &f->hearing;
	struct msg *m = kept_message(h, 0);
	bool ok;

	if (h->n == 0)
		return h->broken != 0 ? h->broken : msg_serve(f->roles.control, ROLE_ENFORCE, handlers, f);
	/* The message stays in the ring until the handler returns, because the handler reads it
	 * there. */
	ok = msg_dispatch(handlers, f, m);
	h->first = (h->first + 1) % HEARING_MOST;
	h->n--;
	return ok ? 1 : -EBADMSG;
}

/* ---- its progress ---------------------------------------------------------------------------- */

#define PACE_NS 250000000u

void telling_begin(struct enforce *f, uint32_t id, bool wanted)
{
	/* A question that is answered within PACE_NS needs no progress report. */
	f->telling = (struct telling){ .on = wanted, .id = id, .again_ns = clock_mono().ns + PACE_NS };
	f->kernel.net.reading = (struct netlink_reading){ 0 };
}

void telling_end(struct telling *telling)
{
	telling->on = false;
}

static void say_progress(struct enforce *f, uint64_t entries)
{
	struct telling *t = &f->telling;
	const struct msg_body m = {
		MSG_PROGRESS,
		.progress = { .stage = (uint8_t)t->stage, .done = t->done, .of = t->of, .entries = entries }
	};
	uint64_t now = t->on ? clock_mono().ns : 0;

	if (!t->on || now < t->again_ns)
		return;
	t->again_ns = now + PACE_NS;
	(void)msg_try(f->roles.control, t->id, &m);
}

void telling_stage(struct enforce *f, enum progress_stage stage)
{
	f->telling.stage = stage;
	f->telling.done = f->telling.of = 0;
	f->kernel.net.reading = (struct netlink_reading){ 0 };
	say_progress(f, 0);
}

static uint32_t bounded(size_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

void telling_count(struct enforce *f, size_t done, size_t of)
{
	f->telling.done = bounded(done);
	f->telling.of = bounded(of);
	say_progress(f, 0);
}

void telling_read(struct enforce *f)
{
	enum progress_stage s = f->telling.stage;

	if (s != PROGRESS_READS && s != PROGRESS_EXECUTES) {
		say_progress(f, 0);
		return;
	}
	f->telling.done = f->kernel.net.reading.part;
	f->telling.of = f->kernel.net.reading.parts;
	say_progress(f, f->kernel.net.reading.entries);
}

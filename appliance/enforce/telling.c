/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/enforce/telling.h"

#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"

#define PACE_NS 250000000u

void telling_begin(struct enforce *f, uint32_t id, bool wanted)
{
	/* A question that is answered within PACE_NS needs no progress report. */
	f->telling = (struct telling){ .on = wanted, .id = id, .again_ns = clock_mono().ns + PACE_NS };
	f->net.reading = (struct netlink_reading){ 0 };
}

void telling_end(struct enforce *f)
{
	f->telling.on = false;
}

static void say(struct enforce *f, uint64_t entries)
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
	(void)msg_try(f->control, t->id, &m);
}

void telling_stage(struct enforce *f, enum progress_stage stage)
{
	f->telling.stage = stage;
	f->telling.done = f->telling.of = 0;
	f->net.reading = (struct netlink_reading){ 0 };
	say(f, 0);
}

static uint32_t bounded(size_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

void telling_count(struct enforce *f, size_t done, size_t of)
{
	f->telling.done = bounded(done);
	f->telling.of = bounded(of);
	say(f, 0);
}

void telling_read(struct enforce *f)
{
	enum progress_stage s = f->telling.stage;

	if (s != PROGRESS_READS && s != PROGRESS_EXECUTES) {
		say(f, 0);
		return;
	}
	f->telling.done = f->net.reading.part;
	f->telling.of = f->net.reading.parts;
	say(f, f->net.reading.entries);
}

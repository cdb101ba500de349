/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the machine's clock follows a source of time. What passes does not depend on this,
 * because enforce decides whether the clock is trusted. */
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/control/control.h"
#include "appliance/control/ground.h"
#include "appliance/control/watch.h"
#include "appliance/role/roles.h"

#define FOLLOW_NS 2000000000ull

static const char *boot_of(const struct control *s, char out[MOMENT_BOOT])
{
	memcpy(out, s->facts.boot, MOMENT_BOOT - 1);
	out[MOMENT_BOOT - 1] = '\0';
	return out;
}

static void save_moment(struct control *s)
{
	char boot[MOMENT_BOOT];
	struct err e;

	s->source.unsaved = clock_follow_save(CONTROL_FD_FOLDER, boot_of(s, boot), &s->source.follow, &e) < 0;
}

/*
 * Records once that the clock has lost its source or has one again, and notes it for the next
 * control. The first control after the machine's start records a lost source if box.cfg names
 * sources and the clock follows none, because nobody may have seen the loss. If a state was not
 * recorded, the next control judges it again.
 */
void source_due(struct control *s, uint64_t now)
{
	struct clock_source *c = &s->source;
	bool first, follows, told;
	char boot[MOMENT_BOOT];
	char off[40] = "";
	json_t *since;
	uint64_t error;

	if (now < source_next(s))
		return;
	c->look_at = now + FOLLOW_NS;
	if (!c->read)
		(void)clock_follow_load(CONTROL_FD_FOLDER, boot_of(s, boot), &c->follow);
	c->read = true;
	if (c->unsaved)
		save_moment(s);
	first = c->follow.is == CLOCK_SYNC_UNKNOWN;
	if (!clock_follow_look(&c->follow, clock_synchronised(), clock_mono(), clock_wall_ns()))
		return;
	since = json_time(c->follow.since_wall_ns);
	if (clock_error(&error))
		snprintf(off, sizeof(off), "%llu us", (unsigned long long)error);
	follows = c->follow.is == CLOCK_SYNC_YES;
	told = !first || (!follows && ir_time_sources(s->now->ir));
	if (told)
		machine_record(s, follows ? MACHINE_SOURCE_BACK : MACHINE_SOURCE_LOST,
			       (struct said){ .object = json_string_value(since), .after = *off != '\0' ? off : NULL });
	json_decref(since);
	if (told || follows)
		save_moment(s);
}

/* Without a policy nobody has named sources. */
uint64_t source_next(const struct control *s)
{
	return s->now->number != 0 ? s->source.look_at : UINT64_MAX;
}

uint64_t source_since(const struct control *s, enum clock_sync now)
{
	const struct clock_follow *f = &s->source.follow;

	if (f->seen_ns == 0 || f->seen != now || now == CLOCK_SYNC_UNKNOWN)
		return 0;
	return f->is == now ? f->since_wall_ns : f->seen_wall_ns;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What every file of this folder stands on: time, a line for people, a record, another namespace. It knows of no role and no operation's step. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "appliance/box/netns.h"
#include "appliance/supervise/supervise.h"

uint64_t mono_ns(void)
{
	return clock_mono().ns;
}

void say(const struct supervisor *s, enum message m, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, m);
	message_vtext(text, sizeof(text), s->o->lang, m, ap);
	va_end(ap);
	fprintf(stderr, "sekishod: %s\n", text);
}

void role_event(struct supervisor *s, enum role role, uint32_t index, enum role_event what)
{
	struct event e = event_new(EVENT_ROLE, clock_wall_ns());

	e.code = (uint8_t)what;
	e.value = role;
	e.address = index;
	event_send(&s->events, &e);
}

void policy_event_of(struct supervisor *s, enum policy_event what, uint64_t number, const char *by, const char *object)
{
	struct event e = event_new(EVENT_POLICY, clock_wall_ns());

	if (by != NULL)
		event_say(&e, EVENT_BY, by);
	if (object != NULL)
		event_say(&e, EVENT_OBJECT, object);
	e.code = (uint8_t)(what == POLICY_BOOTED && number == 0 ? POLICY_EMPTY : what);
	e.value = number;
	event_send(&s->events, &e);
}

void policy_event(struct supervisor *s, enum policy_event what, uint64_t number, const char *object)
{
	const char *login = s->op.ground.login;
	char by[USER_BY];

	snprintf(by, sizeof(by), "%s%s%s", login, login[0] != '\0' ? "/" : "", s->op.by);
	/* What the box does by itself (its start, the end of a trial) nobody asked for. */
	policy_event_of(s, what, number, s->op.asker.id != 0 ? by : NULL, object);
}

int in_namespace(struct supervisor *s, int nsfd, int (*open_in)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	struct err back;
	int r = netns_enter(nsfd, e);

	if (r < 0)
		return r;
	r = open_in(ctx, e);
	if (netns_enter(s->spaces.home, &back) < 0)
		abort(); /* in the wrong namespace nothing may go on */
	return r;
}

uint64_t trial_boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Its timer goes by time that nobody sets, and so does this: when the clock was set, the same moment has another name. */
uint64_t trial_until(const struct supervisor *s)
{
	uint64_t due = clock_wall_ns() + (s->trial_until_boot - trial_boot_ns());
	uint64_t apart = due > s->trial_until_wall ? due - s->trial_until_wall : s->trial_until_wall - due;

	return apart > CLOCK_STEP_NS ? due : s->trial_until_wall;
}

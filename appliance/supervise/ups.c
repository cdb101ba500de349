/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/ups.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/box/beside.h"
#include "appliance/box/said.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/settings.h"

#define SECOND 1000000000ull
#define LOOK_NS (2 * SECOND)
#define STATE "%s-ups/state"  /* beside the run folder: the RuntimeDirectory= of sekisho-ups.service */
#define POWER_OFF "power-off" /* sekisho-power-off.path */

static struct ups_said said(const struct supervisor *s, const char *of)
{
	uint8_t file[UPS_TEXT];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), STATE, s->o->run);
	return ups_read(file, said_file(path, file, sizeof(file)), of, said_now_s());
}

static void record(struct supervisor *s, uint8_t what, const char *object)
{
	struct event e = event_new(EVENT_MACHINE, clock_wall_ns());

	e.code = what;
	event_say(&e, EVENT_OBJECT, object);
	event_send(&s->events, &e);
}

static void power_off(struct supervisor *s, const struct ir_peer *p)
{
	const char text[] = "ups\n";
	struct err e = { 0 };

	if (!p->power_off) {
		record(s, MACHINE_UPS_STAYS, s->ups.of);
		return;
	}
	if (atomic_write(s->run_fd, POWER_OFF, text, sizeof(text) - 1, &e) < 0) {
		say(s, M_BESIDE_FAILED, POWER_OFF, e.text);
		s->ups.watch.done = false; /* at the next look again */
		return;
	}
	say(s, M_UPS_POWER_OFF);
	record(s, MACHINE_UPS_POWER_OFF, s->ups.of);
}

/* A word that nobody followed, since systemd did not look or the mains came back, shall not turn off what is well. */
static void take_back(struct supervisor *s)
{
	unlinkat(s->run_fd, POWER_OFF, 0);
}

static void happened(struct supervisor *s, const struct ir_peer *p, unsigned what, const struct ups_said *now)
{
	static const struct {
		unsigned bit;
		uint8_t code;
	} codes[] = { { UPS_WENT_AWAY, MACHINE_UPS_AWAY },     { UPS_CAME_BACK, MACHINE_UPS_ANSWERS },
		      { UPS_ON_BATTERY, MACHINE_UPS_BATTERY }, { UPS_ON_MAINS, MACHINE_UPS_MAINS },
		      { UPS_IS_LOW, MACHINE_UPS_LOW },	       { UPS_IS_FORCED, MACHINE_UPS_FORCED } };
	char object[UPS_NAME_MOST + 32];

	if (now->charge >= 0)
		snprintf(object, sizeof(object), "%s, %d %%", s->ups.of, now->charge);
	else
		snprintf(object, sizeof(object), "%s", s->ups.of);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if ((what & codes[i].bit) != 0)
			record(s, codes[i].code, object);
	if ((what & UPS_ON_MAINS) != 0)
		take_back(s);
	if ((what & UPS_OFF_NOW) != 0)
		power_off(s, p);
}

void ups_due(struct supervisor *s, uint64_t now)
{
	const struct ir_peer *p = beside_ups_server(s->now->ir);
	char of[UPS_NAME_MOST] = "";
	struct ups_said say;

	if (now < s->ups.look_at)
		return;
	if (p != NULL)
		beside_ups_name(p, of, sizeof(of));
	if (s->ups.look_at == 0 || strcmp(of, s->ups.of) != 0) {
		s->ups.watch = (struct ups_watch){ .heard = false };
		memcpy(s->ups.of, of, sizeof(of));
		take_back(s);
	}
	s->ups.look_at = now + LOOK_NS;
	/* What was only recorded counts anew. */
	if (p != NULL && p->power_off && !s->ups.turns_off)
		s->ups.watch.done = false;
	s->ups.turns_off = p != NULL && p->power_off;
	if (p == NULL)
		return;
	say = said(s, of);
	happened(s, p, ups_look(&s->ups.watch, &say, said_now_s()), &say);
}

uint64_t ups_next(const struct supervisor *s)
{
	return beside_ups_server(s->now->ir) != NULL ? s->ups.look_at : UINT64_MAX;
}

static json_t *number_or_null(int v)
{
	return v >= 0 ? json_integer(v) : json_null();
}

json_t *json_ups(const struct supervisor *s)
{
	const struct ir_peer *p = beside_ups_server(s->now->ir);
	const struct ups_watch *w = &s->ups.watch;
	char of[UPS_NAME_MOST];
	struct ups_said now;

	if (p == NULL)
		return json_null();
	beside_ups_name(p, of, sizeof(of));
	now = said(s, of);
	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "server", json_endpoint(&p->address, p->port),
			 "name", p->name, "state", ups_words[now.is], "since",
			 now.is != UPS_AWAY ? said_time(now.since_s) : json_null(), "away_since",
			 now.is == UPS_AWAY && w->silent ? said_time(w->silent_s) : json_null(), "charge",
			 number_or_null(now.charge), "runtime", number_or_null(now.runtime_s), "counted",
			 now.counted == UPS_COUNTED_UNKNOWN ? json_null() : json_boolean(now.counted == UPS_COUNTED),
			 "on_low", on_low_words[p->power_off]);
}

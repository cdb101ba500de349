/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backups by schedule (mgmt/cli/backup/carry.c): that program reports root's schedule, and how each
 * attempt ended. This file finds out when the next backup is due, and tells the program. The times
 * are on the disk, so that they outlive the daemon.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/control/control.h"
#include "appliance/control/note.h"
#include "appliance/control/tried.h"
#include "appliance/control/watch.h"

#define SECOND 1000000000ull
#define DAY_S 86400u
/* the program's timer comes each hour; without this margin, a daily backup would come an hour later
 * each day */
#define EARLY_S 1800u
#define AGAIN_S (6 * 3600u)
/* the target is absent: trying again costs nothing, because no backup is made */
#define ABSENT "absent"
#define FILE_NAME "carried"
#define EVERY "every "

static const char *const targets[CARRIED_TARGETS] = { [CARRIED_STICK] = "stick", [CARRIED_SERVER] = "server" };

static void keep_carried(const struct control *s)
{
	char text[NOTE_MOST];
	size_t n = 0;

	for (unsigned i = 0; i < CARRIED_TARGETS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u,%" PRIu64 ",%" PRIu64, i > 0 ? ";" : "",
				      (unsigned)s->carried[i].days, s->carried[i].since, s->carried[i].at);
	note_keep(FILE_NAME, text);
}

/* Reads a number, and skips `sign` after it. */
static uint64_t skip_number(const char **at, char sign)
{
	char *end;
	uint64_t n = strtoull(*at, &end, 10);

	*at = *end == sign && sign != '\0' ? end + 1 : end;
	return n;
}

void carried_open(struct control *s)
{
	char text[NOTE_MOST];
	const char *at = text;

	if (!note_kept(FILE_NAME, text))
		return;
	for (struct carried *c = s->carried; c < s->carried + CARRIED_TARGETS; c++) {
		c->days = (uint32_t)skip_number(&at, ',');
		c->since = skip_number(&at, ',');
		c->at = skip_number(&at, ';');
	}
}

void carried_due(struct control *s)
{
	uint64_t wall = clock_wall_s();
	bool changed = false;

	for (struct carried *c = s->carried; c < s->carried + CARRIED_TARGETS; c++) {
		bool begins = c->days > 0 && (c->since == 0 || c->since > wall);

		if (begins)
			c->since = wall;
		/* A time that is still to come was written by a wrong clock. */
		if (c->at > wall)
			c->at = 0;
		changed |= begins;
	}
	if (changed)
		keep_carried(s);
}

void carried_recorded(struct control *s, uint8_t what, const char *text)
{
	const char *rest = strstr(text, ": ");
	struct carried *c = NULL;
	uint64_t days = 0;

	for (unsigned i = 0; rest != NULL && i < CARRIED_TARGETS; i++)
		if (strlen(targets[i]) == (size_t)(rest - text) && strncmp(targets[i], text, strlen(targets[i])) == 0)
			c = &s->carried[i];
	if (c == NULL)
		return;
	rest += 2;
	if (what == MACHINE_BACKUP_SCHEDULED) {
		days = strncmp(rest, EVERY, strlen(EVERY)) == 0 ? strtoull(rest + strlen(EVERY), NULL, 10) : 0;
		if (days > CARRIED_DAYS_MOST)
			days = 0;
		if (days == 0)
			*c = (struct carried){ .days = 0 };
		c->days = (uint32_t)days;
		c->failed = 0;
		c->why[0] = '\0';
	} else if (what == MACHINE_BACKUP_CARRIED) {
		c->at = s->trusted ? clock_wall_s() : c->at;
		c->failed = 0;
		c->why[0] = '\0';
	} else {
		c->failed = clock_wall_s();
		snprintf(c->why, sizeof(c->why), "%s", rest);
	}
	if (s->trusted)
		carried_due(s);
	keep_carried(s);
}

/* Whether the program is to try now. */
static bool due(const struct carried *c, uint64_t wall)
{
	bool rests = c->failed != 0 && strcmp(c->why, ABSENT) != 0 && wall >= c->failed && wall - c->failed < AGAIN_S;

	return !rests && (c->at == 0 || wall - c->at + EARLY_S >= (uint64_t)c->days * DAY_S);
}

json_t *json_carried(const struct control *s)
{
	uint64_t wall = clock_wall_s();
	json_t *list = json_array();

	for (unsigned i = 0; i < CARRIED_TARGETS; i++) {
		const struct carried *c = &s->carried[i];
		uint64_t last = c->at > c->since ? c->at : c->since, late = wall > last ? wall - last : 0;

		if (c->days == 0)
			continue;
		json_array_append_new(list, json_pack("{s:s, s:I, s:o, s:o, s:b, s:b, s:o}", "to", targets[i], "every",
						      (json_int_t)c->days, "last", json_seconds(c->at), "since",
						      json_time(last * SECOND), "due", (int)due(c, wall), "overdue",
						      (int)(late >= 2 * (uint64_t)c->days * DAY_S), "why",
						      json_text_or_null(c->why)));
	}
	return list;
}

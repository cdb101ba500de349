/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a backup was last tried out with success. After a month without that, the status says that
 * it is overdue, as for a review. The time is in a file, so that it outlives the daemon.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/control/control.h"
#include "appliance/control/ground.h"
#include "appliance/control/note.h"
#include "appliance/control/tried.h"
#include "appliance/control/watch.h"

#define SECOND 1000000000ull
#define DAY_S 86400u
#define OVERDUE_DAYS 31u
#define FILE_NAME "tried"
#define GOOD ": same" /* how the record of a success ends */

void tried_open(struct control *s)
{
	char text[NOTE_MOST];

	s->tried.since = note_kept(FILE_NAME, text) ? strtoull(text, NULL, 10) : 0;
}

/* A box without such a time, or with one that is still to come, counts from now on. */
void tried_look(struct control *s, uint64_t now)
{
	uint64_t wall = clock_wall_s();
	char text[NOTE_MOST];

	if (!s->trusted)
		return;
	carried_due(s);
	if (s->tried.since > 0 && s->tried.since <= wall)
		return;
	s->tried.since = wall;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)wall);
	note_keep(FILE_NAME, text);
}

void tried_recorded(struct control *s, const char *text)
{
	size_t n = strlen(text), m = strlen(GOOD);

	if (n < m || strcmp(text + n - m, GOOD) != 0)
		return;
	s->tried.since = 0;
	tried_look(s, now_ns());
}

json_t *json_tried(const struct control *s)
{
	uint64_t wall = clock_wall_s(), since = s->tried.since;
	uint64_t days = wall > since ? (wall - since) / DAY_S : 0;

	if (!s->trusted || since == 0)
		return json_null();
	return json_pack("{s:o, s:I, s:b, s:o}", "since", json_time(since * SECOND), "days", (json_int_t)days,
			 "overdue", days >= OVERDUE_DAYS, "carried", json_carried(s));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a backup was last tried with success. A box whose backups nobody tries is told so after a
 * month, like an overdue review. The time is in a file, so that it outlives the daemon.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/control/control.h"
#include "appliance/role/roles.h"

#define SECOND 1000000000ull
#define DAY_S 86400u
#define OVERDUE_DAYS 31u
#define LOOK_NS (60 * SECOND)
#define FILE_NAME "tried"
#define FILE_MOST 32u
#define GOOD ": same" /* how the record of a success ends */

static void keep(uint64_t seconds)
{
	char text[FILE_MOST];
	struct err e = { 0 };
	int n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)seconds);

	/* On a full disk the count begins anew with the next start. */
	(void)atomic_write(CONTROL_FD_FOLDER, FILE_NAME, text, (size_t)n, &e);
}

/* Also 0 when the file is not one of these. */
static uint64_t kept(void)
{
	uint8_t *p = NULL;
	struct err e = { 0 };
	char *end = NULL;
	uint64_t seconds = 0;
	size_t n = 0;

	if (file_read(CONTROL_FD_FOLDER, FILE_NAME, FILE_MOST, &p, &n, &e) < 0)
		return 0;
	if (n > 1 && *p >= '0' && *p <= '9')
		seconds = strtoull((const char *)p, &end, 10);
	seconds = end != NULL && *end == '\n' && end + 1 == (const char *)p + n ? seconds : 0;
	free(p);
	return seconds;
}

void tried_open(struct control *s)
{
	s->tried.since = kept();
}

/* A box without such a time, or with one that is still to come, counts from now on. */
void tried_due(struct control *s, uint64_t now)
{
	uint64_t wall = clock_wall_ns() / SECOND;

	if (now < s->tried.look_at)
		return;
	s->tried.look_at = now + LOOK_NS;
	if (!s->trusted || (s->tried.since > 0 && s->tried.since <= wall))
		return;
	s->tried.since = wall;
	keep(wall);
}

uint64_t tried_next(const struct control *s)
{
	return s->tried.look_at;
}

void tried_recorded(struct control *s, const char *text)
{
	size_t n = strlen(text), m = strlen(GOOD);

	if (n < m || strcmp(text + n - m, GOOD) != 0)
		return;
	s->tried.since = s->tried.look_at = 0;
	tried_due(s, now_ns());
}

json_t *json_tried(const struct control *s)
{
	uint64_t wall = clock_wall_ns() / SECOND, since = s->tried.since;
	uint64_t days = wall > since ? (wall - since) / DAY_S : 0;

	if (!s->trusted || since == 0)
		return json_null();
	return json_pack("{s:o, s:I, s:b}", "since", json_time(since * SECOND), "days", (json_int_t)days, "overdue",
			 days >= OVERDUE_DAYS);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a backup was last tried with success. A box whose backups nobody tries is told so after a
 * month, like an overdue review. The time is in a file, so that it outlives the daemon.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/control/control.h"
#include "appliance/role/roles.h"

#define SECOND 1000000000ull
#define DAY_S 86400u
#define OVERDUE_DAYS 31u
#define LOOK_NS (60 * SECOND)
#define FILE_NAME "tried"
#define FILE_MOST 96u
#define GOOD ": same" /* how the record of a success ends */

/* With a digest: a damaged file must not be another time. */
static size_t text_of(uint64_t seconds, char out[FILE_MOST])
{
	uint8_t digest[32];
	char hex[65];
	int n = snprintf(out, FILE_MOST, "%llu", (unsigned long long)seconds);

	sha256(out, (size_t)n, digest);
	hex_text(digest, sizeof(digest), hex);
	return (size_t)snprintf(out, FILE_MOST, "%llu %s\n", (unsigned long long)seconds, hex);
}

static void keep(uint64_t seconds)
{
	char text[FILE_MOST];
	struct err e = { 0 };
	size_t n = text_of(seconds, text);

	/* On a full disk the count begins anew with the next start. */
	(void)atomic_write(CONTROL_FD_FOLDER, FILE_NAME, text, n, &e);
}

/* 0 when the file is not one of these. */
static uint64_t kept(void)
{
	char text[FILE_MOST];
	struct err e = { 0 };
	uint64_t seconds;
	uint8_t *p = NULL;
	size_t n = 0;

	if (file_read(CONTROL_FD_FOLDER, FILE_NAME, FILE_MOST, &p, &n, &e) < 0)
		return 0;
	seconds = strtoull((const char *)p, NULL, 10);
	if (text_of(seconds, text) != n || memcmp(text, p, n) != 0)
		seconds = 0;
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

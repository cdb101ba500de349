/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/moment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"

#define NAME "clock"
#define LATEST "sekisho clock 1\nlatest "
#define BOOT "\nboot "
#define FOLLOW_NAME "clock-source"
#define FOLLOW "sekisho clock source 1\nfollows "
#define MOST MOMENT_TEXT
#define DAY_S 86400u

/* Writes the text, with a digest at its end: damage on the disk must not turn it into another
 * year. */
size_t moment_write(const struct moment *m, char out[MOMENT_TEXT])
{
	int n = snprintf(out, MOMENT_TEXT, LATEST "%" PRIu64 BOOT "%s\n", m->latest, m->boot);
	uint8_t digest[32];

	sha256(out, (size_t)n, digest);
	n += snprintf(out + n, MOMENT_TEXT - (size_t)n, "sum ");
	for (unsigned i = 0; i < sizeof(digest); i++)
		n += snprintf(out + n, MOMENT_TEXT - (size_t)n, "%02x", digest[i]);
	n += snprintf(out + n, MOMENT_TEXT - (size_t)n, "\n");
	return (size_t)n;
}

/* Reads latest and boot id. The comparison in same_text shows whether the text is valid. `text`
 * ends with a NUL. */
static bool read_text(const char *text, struct moment *ret)
{
	char *end;
	size_t n;

	if (strncmp(text, LATEST, strlen(LATEST)) != 0)
		return false;
	ret->latest = strtoull(text + strlen(LATEST), &end, 10);
	if (strncmp(end, BOOT, strlen(BOOT)) != 0)
		return false;
	end += strlen(BOOT);
	n = strcspn(end, "\n");
	if (n >= sizeof(ret->boot))
		return false;
	memcpy(ret->boot, end, n);
	ret->boot[n] = '\0';
	return true;
}

/* Whether the text is exactly the one that is written for this moment. */
static bool same_text(const struct moment *m, const uint8_t *p, size_t n)
{
	char text[MOMENT_TEXT];

	return moment_write(m, text) == n && memcmp(text, p, n) == 0;
}

enum moment_found moment_read(const uint8_t *p, size_t n, struct moment *ret)
{
	char text[MOMENT_TEXT] = "";

	*ret = (struct moment){ .latest = 0 };
	if (p == NULL)
		return MOMENT_NONE;
	if (n < sizeof(text))
		memcpy(text, p, n);
	if (read_text(text, ret) && same_text(ret, p, n))
		return MOMENT_READ;
	*ret = (struct moment){ .latest = 0 };
	return MOMENT_DAMAGED;
}

enum moment_found moment_load(int statefd, struct moment *ret)
{
	enum moment_found found;
	uint8_t *p = NULL;
	size_t n = 0;
	int r = file_read(statefd, NAME, MOMENT_TEXT - 1, &p, &n, NULL);

	found = moment_read(r < 0 ? NULL : p, n, ret);
	free(p);
	return r < 0 && r != -ENOENT ? MOMENT_DAMAGED : found;
}

bool moment_noted(int runfd, int statefd, const char *boot)
{
	struct moment note, disk;

	if (boot[0] == '\0' || moment_load(runfd, &note) != MOMENT_READ || strcmp(note.boot, boot) != 0)
		return false;
	return moment_load(statefd, &disk) != MOMENT_READ || strcmp(disk.boot, boot) != 0 || disk.latest < note.latest;
}

/* ---- is the clock trusted -------------------------------------------------------------------- */

const char *const clock_wait_words[] = { "trusted", "earlier", "source", "battery", "record", "daemon", NULL };

enum clock_wait clock_judge(const struct clock_facts *f)
{
	uint64_t least = f->found == MOMENT_READ ? f->latest : f->policy;
	uint64_t apart = f->now > f->battery_s ? f->now - f->battery_s : f->battery_s - f->now;

	if (f->same_boot)
		return CLOCK_TRUSTED;
	/* If the time is before the latest known moment, either the clock or the record is wrong,
	 * and a person has to decide. */
	if (f->now < least)
		return CLOCK_WAITS_EARLIER;
	/* The kernel still has open elements with an end, so an earlier daemon trusted the clock
	 * since the machine started. That is not on record, because the daemon was of an older
	 * release, or could not write. */
	if (f->stands)
		return CLOCK_TRUSTED;
	if (f->sync == CLOCK_SYNC_YES)
		return CLOCK_TRUSTED;
	if (f->sources)
		return CLOCK_WAITS_SOURCE;
	if (f->found == MOMENT_DAMAGED)
		return CLOCK_WAITS_RECORD;
	/* A difference of a day is tolerated, because the battery clock may keep local time. */
	if (f->battery && apart > DAY_S)
		return CLOCK_WAITS_BATTERY;
	return CLOCK_TRUSTED;
}

bool clock_steady_due(struct clock_steady *s, struct mono now, uint64_t wall_ns)
{
	bool set = clock_was_set(&s->pair, now, wall_ns);

	if (set || s->since_ns == 0)
		s->since_ns = now.ns;
	if (now.ns - s->since_ns < MOMENT_EVERY_NS)
		return false;
	s->since_ns = now.ns;
	return true;
}

bool clock_follow_look(struct clock_follow *f, enum clock_sync word, struct mono now, uint64_t wall_ns)
{
	if (f->seen_ns == 0 || word != f->seen) {
		f->seen = word;
		f->seen_ns = now.ns;
		f->seen_wall_ns = wall_ns;
	}
	/* An unknown state is no change: the caller may lack the right to read it. */
	if (word == CLOCK_SYNC_UNKNOWN || word == f->is || now.ns - f->seen_ns < FOLLOW_SETTLES_NS)
		return false;
	f->is = word;
	f->since_wall_ns = f->seen_wall_ns;
	return true;
}

static size_t follow_text(const char *boot, enum clock_sync is, uint64_t since_ns, char out[MOST])
{
	return (size_t)snprintf(out, MOST, FOLLOW "%s %" PRIu64 BOOT "%s\n", is == CLOCK_SYNC_YES ? "yes" : "no",
				since_ns, boot);
}

int clock_follow_save(int dirfd, const char *boot, const struct clock_follow *f, struct err *e)
{
	char text[MOST];

	return atomic_write(dirfd, FOLLOW_NAME, text, follow_text(boot, f->is, f->since_wall_ns, text), e);
}

bool clock_follow_load(int dirfd, const char *boot, struct clock_follow *f)
{
	static const enum clock_sync words[] = { CLOCK_SYNC_NO, CLOCK_SYNC_YES };
	uint8_t *p = NULL;
	size_t n = 0;
	bool read = false;

	if (boot[0] == '\0' || file_read(dirfd, FOLLOW_NAME, MOST - 1, &p, &n, NULL) < 0)
		return false;
	/* The file is valid only if it is exactly what would be written. */
	for (size_t i = 0; !read && i < sizeof(words) / sizeof(words[0]); i++) {
		const char *digits = memchr(p + strlen(FOLLOW), ' ', n > strlen(FOLLOW) ? n - strlen(FOLLOW) : 0);
		uint64_t since = digits != NULL ? strtoull(digits + 1, NULL, 10) : 0;
		char text[MOST];

		read = follow_text(boot, words[i], since, text) == n && memcmp(text, p, n) == 0;
		if (read) {
			f->is = words[i];
			f->since_wall_ns = since;
		}
	}
	free(p);
	return read;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal role, the only writer of records. It reads the event sockets of all roles, replaces
 * numbers by names, merges floods, writes the records as chained lines, and answers questions about
 * them. It has access to its own folders only.
 *
 * On a full disk it goes on reading. Records then wait in memory; when that is full, the least
 * serious ones are only counted (role_write.c). No other role ever waits for the journal.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/journal/access.h"
#include "appliance/journal/merge.h"
#include "appliance/journal/remembered.h"
#include "appliance/journal/role_attack.h"
#include "appliance/journal/role_clean.h"
#include "appliance/journal/role_device.h"
#include "appliance/journal/role_files.h"
#include "appliance/journal/role_hold.h"
#include "appliance/journal/role_keep.h"
#include "appliance/journal/role_messages.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_take.h"
#include "appliance/journal/role_trends.h"
#include "appliance/journal/role_weak.h"
#include "appliance/journal/role_write.h"
#include "appliance/journal/share.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/event_words.h"

#define READ_MOST 128u /* records that are read from one source in a turn */

/* ---- reading --------------------------------------------------------------------------------- */

static void read_source(struct journal_role *j, const struct source *s)
{
	for (unsigned i = 0; i < READ_MOST; i++) {
		uint8_t wire[EVENT_WIRE_MAX + 1];
		ssize_t n = recv(s->fd, wire, sizeof(wire), MSG_DONTWAIT);
		struct event e;

		if (n <= 0)
			return;
		if (!event_decode(bytes_of(wire, (size_t)n), &e) || !event_said_by(s->role, &e)) {
			j->intake.malformed++;
			continue;
		}
		role_take(j, &e, s->role);
	}
}

/* ---- loop ------------------------------------------------------------------------------------ */

/* What the journal keeps beside the records: when its file is next to be written, and the function
 * that writes it (`all`: at the end of the process). */
static const struct {
	uint64_t (*due)(const struct journal_role *j);
	void (*write)(struct journal_role *j, uint64_t now, bool all);
} registers[] = {
	{ role_device_due, role_device_write }, { role_weak_due, role_weak_write },
	{ role_clean_due, role_clean_write },	{ role_attack_due, role_attack_write },
	{ role_trends_due, role_trends_write },
};

#define REGISTERS (sizeof(registers) / sizeof(registers[0]))

static void write_registers(struct journal_role *j, uint64_t now, bool all)
{
	for (size_t i = 0; i < REGISTERS; i++)
		registers[i].write(j, now, all);
}

static void keep_earlier(uint64_t *due, uint64_t at)
{
	if (at < *due)
		*due = at;
}

static int wait_ms(const struct journal_role *j, uint64_t now)
{
	uint64_t due = UINT64_MAX;

	if (j->n_asked > 0 || role_heard(j))
		return 0;
	for (size_t i = 0; i < REGISTERS; i++)
		keep_earlier(&due, registers[i].due(j));
	keep_earlier(&due, merge_due(&j->intake.merge));
	keep_earlier(&due, share_due(&j->intake.shares));
	keep_earlier(&due, access_due(&j->readings));
	keep_earlier(&due, role_keep_due(j));
	keep_earlier(&due, role_check_due(j));
	keep_earlier(&due, role_disk_due(j));
	if (j->writing.pressed)
		keep_earlier(&due, j->writing.retry_at);
	if (j->sync_at != 0)
		keep_earlier(&due, j->sync_at);
	if (j->signing.at != 0)
		keep_earlier(&due, j->signing.at);
	if (due == UINT64_MAX)
		return -1;
	return due <= now ? 0 : (int)((due - now) / 1000000u) + 1;
}

/* The folder of the key, -1 = none: the supervisor then passes the journal's own folder twice. A
 * key must not be in that folder, which is copied together with the records that it signs. */
static int key_folder(void)
{
	struct stat records, keys;

	if (fstat(JOURNAL_FD_FOLDER, &records) < 0 || fstat(JOURNAL_FD_KEY, &keys) < 0 ||
	    (records.st_dev == keys.st_dev && records.st_ino == keys.st_ino))
		return -1;
	return JOURNAL_FD_KEY;
}

static int open_chain(struct journal_role *j)
{
	struct journal_recovery found;
	struct err e = { 0 };

	/* The group may enter, as it may read the segments (chain.c). */
	if (fchmod(JOURNAL_FD_FOLDER, 0750) < 0)
		fprintf(stderr, "sekishod journal: mode of the folder: %s\n", strerror(errno));
	if (role_open(j, JOURNAL_FD_FOLDER, &found, &e) < 0) {
		fprintf(stderr, "sekishod journal: %s\n", e.text);
		return 1;
	}
	j->was_empty = found.empty;
	j->signing.folder = key_folder();
	if (j->signing.folder < 0)
		fprintf(stderr, "sekishod journal: no folder for the signing key; records are not signed until the "
				"next start\n");
	role_hold_open(j);
	role_device_open(j);
	role_weak_open(j);
	role_clean_open(j);
	role_attack_open(j);
	role_trends_open(j);
	/* Made at the first start, not at the first use, so that the installer can note the public
	 * key. */
	role_key(j);
	/* Lines of the last run may not be signed yet. */
	if (j->chain.next_seq > 1)
		role_sign_written(j);
	if (found.missing != 0)
		role_put_own(j, LOST_MISSING, found.missing, 0, NULL);
	if (found.another_head)
		role_put_own(j, LOST_ANOTHER_HEAD, 1, 0, NULL);
	if (found.headless)
		role_put_own(j, LOST_HEADLESS, 1, 0, NULL);
	if (found.torn_bytes != 0)
		role_put_own(j, found.torn_gone ? LOST_TORN_GONE : LOST_TORN, 1, found.torn_bytes, NULL);
	return 0;
}

/* Names that the journal before this one was told. */
static void take_names(void *ctx, const struct names_source *from)
{
	struct journal_role *j = ctx;
	struct err e = { 0 };

	if (names_add(&j->names, from, &e) < 0)
		fprintf(stderr, "sekishod journal: %s\n", e.text);
}

#define LAST_MS 1000

/* The other roles are ending and send their last records. The supervisor's own source ends only
 * with the supervisor. */
static void wait_for_last(struct journal_role *j)
{
	uint64_t until = clock_mono().ns + LAST_MS * 1000000ull;
	bool open = true;

	while (open && clock_mono().ns < until) {
		struct pollfd p[SOURCES];

		open = false;
		for (size_t i = 0; i < j->intake.n_sources; i++)
			p[i] = (struct pollfd){ .fd = j->intake.sources[i].fd, .events = POLLIN };
		if (poll(p, (nfds_t)j->intake.n_sources, 0) < 0)
			return;
		for (size_t i = 0; i < j->intake.n_sources; i++) {
			if ((p[i].revents & POLLIN) != 0)
				read_source(j, &j->intake.sources[i]);
			open |= j->intake.sources[i].role != ROLE_SUPERVISOR &&
				(p[i].revents & (POLLIN | POLLHUP)) != POLLHUP;
		}
		if (open)
			poll(NULL, 0, 5);
	}
}

static void last_words(struct journal_role *j)
{
	wait_for_last(j);
	for (size_t i = 0; i < j->intake.n_sources; i++)
		read_source(j, &j->intake.sources[i]);
	role_write_merged(j, true);
	write_registers(j, clock_mono().ns, true);
	role_room_end(j);
	if (j->signing.unsigned_n > 0)
		role_checkpoint(j, true);
	role_sync(j, 0, true);
}

int role_journal(void)
{
	static struct journal_role j; /* static, because it is large */
	struct err e = { 0 };

	if (sandbox_enter(ROLE_JOURNAL, &e) < 0) {
		fprintf(stderr, "sekishod journal: %s\n", e.text);
		return 1;
	}
	if (open_chain(&j) != 0)
		return 1;
	remembered_take(JOURNAL_FD_NAMES, take_names, &j);
	role_names(&j);
	if (msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		return 0;
	for (;;) {
		struct pollfd p[SOURCES + 2] = { { .fd = ROLE_FD_CONTROL, .events = POLLIN } };
		size_t n = j.intake.n_sources;
		uint64_t now = clock_mono().ns;
		bool ended;

		for (size_t i = 0; i < n; i++)
			p[i + 1] = (struct pollfd){ .fd = j.intake.sources[i].fd, .events = POLLIN };
		p[n + 1] = (struct pollfd){ .fd = JOURNAL_FD_TOLD, .events = POLLIN };
		if (poll(p, (nfds_t)n + 2, wait_ms(&j, now)) < 0)
			continue;
		/* Names are read before the records that they belong to. */
		role_names(&j);
		ended = (p[0].revents != 0 || role_heard(&j)) && !role_hear(&j);
		for (size_t i = 0; i < n && !ended; i++)
			if (p[i + 1].revents != 0)
				read_source(&j, &j.intake.sources[i]);
		ended = ended || !role_answer(&j);
		role_write_merged(&j, false);
		now = clock_mono().ns;
		write_registers(&j, now, false);
		role_check_left(&j, now);
		role_disk(&j, now);
		role_retry(&j, now);
		role_sign(&j, now);
		role_sync(&j, now, false);
		role_keep(&j, now);
		if (ended) {
			last_words(&j);
			return 0;
		}
	}
}

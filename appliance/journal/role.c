/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal role: sole writer of records. It reads the event sockets of all roles, puts names to numbers, merges floods,
 * chains and writes lines, and answers questions about them. It owns its folder and nothing else.
 *
 * When the disk takes no more it stops reading: records then wait in the sockets, and what finds no room there is counted
 * by whoever could not send it. Nobody ever waits for the journal.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/journal/chain.h"
#include "appliance/journal/json.h"
#include "appliance/journal/merge.h"
#include "appliance/journal/names.h"
#include "appliance/journal/read.h"
#include "appliance/journal/share.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/answer.h"
#include "appliance/wire/event.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/reason.h"

#define SOURCES 48u
#define GENERATION_BYTES (256u << 20)
#define SYNC_NS 100000000ull
#define RETRY_NS 1000000000ull
#define READ_MOST 128u /* records of one source in one turn */
#define ANSWER_RECORDS 5000u

struct source {
	int fd;
	enum role role;
	uint32_t index;
};

struct journal_role {
	struct journal chain;
	struct names names;
	struct merge merge;
	struct shares shares;
	struct source sources[SOURCES];
	size_t n_sources;
	uint64_t sync_at;    /* monotonic: latest; 0 = nothing to sync */
	uint64_t lost;	     /* records that others could not hand over */
	uint64_t malformed;  /* no records, or not that role's to send */
	uint64_t unwritable; /* too large for a line */
	json_t *held;	     /* the record that the disk did not take; owned */
	uint64_t retry_at;
	bool was_empty; /* at the start, and nobody has said yet whether that is right */
	uint64_t failures;
	char trouble[sizeof(((struct err *)0)->text)]; /* why the disk takes no more, "" = it does */
};

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static void begin_trouble(struct journal_role *j, const struct err *e)
{
	j->failures++;
	if (j->trouble[0] == 0)
		fprintf(stderr, "sekishod journal: %s\n", e->text);
	snprintf(j->trouble, sizeof(j->trouble), "%s", e->text);
}

/* Takes the reference. False: the disk does not take it; it is held. */
static bool put(struct journal_role *j, json_t *record)
{
	struct err e = { 0 };
	int r = journal_append(&j->chain, json_incref(record), &e);

	if (r == 0 || r == -ENOMEM) {
		j->unwritable += r != 0;
		json_decref(record);
		if (j->sync_at == 0)
			j->sync_at = clock_mono().ns + SYNC_NS;
		return true;
	}
	begin_trouble(j, &e);
	j->held = record;
	j->retry_at = clock_mono().ns + RETRY_NS;
	return false;
}

static void retry(struct journal_role *j, uint64_t now)
{
	json_t *record = j->held;

	if (record == NULL || now < j->retry_at)
		return;
	j->held = NULL;
	put(j, record);
}

static void sync_due(struct journal_role *j, uint64_t now, bool at_once)
{
	struct err e = { 0 };

	if (j->sync_at == 0 || (!at_once && now < j->sync_at))
		return;
	if (journal_sync(&j->chain, &e) < 0) {
		begin_trouble(j, &e);
		j->sync_at = now + RETRY_NS;
		return;
	}
	j->sync_at = 0;
	/* Not before: a line that was taken is worth little while the disk does not keep it. */
	if (j->held == NULL)
		j->trouble[0] = 0;
}

/* `records`: how many it is the sum of; 1 = it is itself. */
static void put_event(struct journal_role *j, const struct event *e, enum role from, uint64_t records)
{
	json_t *record;

	if (e->kind == EVENT_LOST)
		j->lost += e->count;
	record = event_json(e, from, &j->names);
	if (record != NULL && records > 1)
		json_object_set_new(record, "records", json_integer((json_int_t)records));
	if (record != NULL)
		put(j, record);
	else
		j->unwritable++;
}

static void put_own(struct journal_role *j, enum lost_event what, uint64_t count, uint64_t value)
{
	struct event e = event_new(EVENT_LOST, clock_wall_ns());

	e.code = (uint8_t)what;
	e.count = count;
	e.value = value;
	put(j, event_json(&e, ROLE_JOURNAL, &j->names));
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static void put_shared(struct journal_role *j, const struct event *e, enum role from)
{
	if (share_in(&j->shares, e, from, clock_mono().ns))
		put_event(j, e, from, 1);
}

static void read_source(struct journal_role *j, const struct source *s)
{
	for (unsigned i = 0; i < READ_MOST && j->held == NULL; i++) {
		uint8_t wire[EVENT_WIRE_MAX + 1];
		ssize_t n = recv(s->fd, wire, sizeof(wire), MSG_DONTWAIT);
		struct event e, out;
		enum role from;

		if (n <= 0)
			return;
		if (!event_decode(bytes_of(wire, (size_t)n), &e) || !event_said_by(s->role, e.kind)) {
			j->malformed++;
			continue;
		}
		if (merge_in(&j->merge, &e, s->role, clock_mono().ns, &out, &from))
			put_shared(j, &out, from);
	}
}

static void write_merged(struct journal_role *j, bool all)
{
	struct event e;
	enum role from;
	uint64_t records;

	while (j->held == NULL && merge_out(&j->merge, clock_mono().ns, all, &e, &from))
		put_shared(j, &e, from);
	while (j->held == NULL && share_out(&j->shares, clock_mono().ns, all, &e, &from, &records))
		put_event(j, &e, from, records);
}

/* ---- questions ---------------------------------------------------------------------------------------------------- */

static bool answer(const struct msg *m, enum answer_status status, json_t *j)
{
	return msg_answer(ROLE_FD_CONTROL, m->id, status, j) == 0;
}

static bool on_status(void *ctx, struct msg *m)
{
	const struct journal_role *j = ctx;
	const struct journal *c = &j->chain;
	struct msg_body a = { MSG_JOURNAL_STATUS, .journal_status = { .records = c->next_seq - 1,
								      .last = c->last_wall_ns,
								      .lost = j->lost,
								      .merged = j->merge.merged + j->shares.summed,
								      .malformed = j->malformed,
								      .unwritable = j->unwritable,
								      .failures = j->failures,
								      .trouble = j->trouble } };

	memcpy(a.journal_status.head, c->hash, sizeof(a.journal_status.head));
	return msg_send(ROLE_FD_CONTROL, m->id, &a, NULL, 0) == 0;
}

static json_t *error_json(const char *text)
{
	return json_pack("{s:o}", "error", json_text(text));
}

static bool on_events(void *ctx, struct msg *m)
{
	const struct msg_events *asked = &m->body.events;
	struct journal_role *j = ctx;
	struct line_filter filter;
	struct err e = { 0 };
	uint64_t next;
	json_t *list;

	/* What was said to be recorded is findable at once. */
	write_merged(j, false);
	if (!line_filter_make(&asked->filter, &filter))
		return answer(m, ANSWER_INVALID, error_json("malformed question"));
	list = journal_read(&j->chain, asked->after, asked->most < ANSWER_RECORDS ? asked->most : ANSWER_RECORDS,
			    event_filter_any(&asked->filter) ? NULL : &filter, &next, &e);
	if (list == NULL)
		return answer(m, ANSWER_CANNOT, error_json(e.text));
	return answer(m, ANSWER_YES, json_pack("{s:o, s:I}", "events", list, "next", (json_int_t)next));
}

static bool on_explain(void *ctx, struct msg *m)
{
	uint64_t seq = m->body.explain.seq, next;
	struct journal_role *j = ctx;
	struct err e = { 0 };
	json_t *list, *record;
	bool sent;

	write_merged(j, false);
	if (seq == 0)
		return answer(m, ANSWER_INVALID, error_json("malformed question"));
	list = journal_read(&j->chain, seq - 1, 1, NULL, &next, &e);
	if (list == NULL)
		return answer(m, ANSWER_CANNOT, error_json(e.text));
	record = next == seq ? json_array_get(list, 0) : NULL;
	if (record != NULL)
		sent = answer(m, ANSWER_YES, json_pack("{s:O}", "event", record));
	else
		sent = answer(m, ANSWER_NO, json_pack("{s:n}", "event"));
	json_decref(list);
	return sent;
}

/* ---- messages ----------------------------------------------------------------------------------------------------- */

static bool on_source(void *ctx, struct msg *m)
{
	struct journal_role *j = ctx;

	if (j->n_sources == SOURCES)
		return false;
	j->sources[j->n_sources++] = (struct source){ .fd = msg_take_fd(m, 0),
						      .role = (enum role)m->body.source.role,
						      .index = m->body.source.index };
	return true;
}

static bool on_generation(void *ctx, struct msg *m)
{
	const struct msg_generation *b = &m->body.generation;
	struct journal_role *j = ctx;
	struct names_source from = { 0 };
	struct err e = { 0 };
	uint8_t *all = NULL;
	size_t n;
	int r;

	/* Without the names records carry numbers only: worth a line, not worth an end. */
	r = memfd_read(m->fds[0], GENERATION_BYTES, &all, &n, &e);
	if (r == 0 && (b->n_sealed > n || b->n_ids > n - b->n_sealed))
		r = err_set(&e, -EBADMSG, "names of a generation");
	if (r == 0) {
		from = (struct names_source){ .number = b->number,
					      .sealed = all,
					      .n_sealed = b->n_sealed,
					      .permits = bytes_of(all + b->n_sealed, b->n_ids),
					      .interfaces = b->interfaces.list,
					      .n_interfaces = b->interfaces.n };
		r = names_add(&j->names, &from, &e);
	}
	free(all);
	/* The first that is heard is what was in force before this start. */
	if (j->was_empty && b->number != 0 && j->held == NULL)
		put_own(j, LOST_EMPTIED, 1, 0);
	j->was_empty = false;
	if (r < 0)
		fprintf(stderr, "sekishod journal: %s\n", e.text);
	return true;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_SOURCE] = on_source, [MSG_GENERATION] = on_generation, [MSG_STATUS] = on_status,
	[MSG_EVENTS] = on_events, [MSG_EXPLAIN] = on_explain,
};

/* All that waits. False: the supervisor is gone or said what it may not say. */
static bool control(struct journal_role *j)
{
	struct pollfd p = { .fd = ROLE_FD_CONTROL, .events = POLLIN };
	int r;

	do
		r = msg_serve(ROLE_FD_CONTROL, ROLE_JOURNAL, handlers, j);
	while (r == 1 && poll(&p, 1, 0) > 0);
	return r == 1 || r == -EAGAIN;
}

/* ---- loop --------------------------------------------------------------------------------------------------------- */

static int wait_ms(const struct journal_role *j, uint64_t now)
{
	uint64_t due = merge_due(&j->merge), sums = share_due(&j->shares);

	due = sums < due ? sums : due;
	if (j->held != NULL)
		due = j->retry_at;
	if (j->sync_at != 0 && j->sync_at < due)
		due = j->sync_at;
	if (due == UINT64_MAX)
		return -1;
	return due <= now ? 0 : (int)((due - now) / 1000000u) + 1;
}

static int open_chain(struct journal_role *j)
{
	struct journal_recovery found;
	struct err e = { 0 };

	if (journal_open(JOURNAL_FD_FOLDER, &j->chain, &found, &e) < 0) {
		fprintf(stderr, "sekishod journal: %s\n", e.text);
		return 1;
	}
	j->was_empty = found.empty;
	if (found.missing != 0)
		put_own(j, LOST_MISSING, found.missing, 0);
	if (found.another_head && j->held == NULL)
		put_own(j, LOST_ANOTHER_HEAD, 1, 0);
	if (found.headless && j->held == NULL)
		put_own(j, LOST_HEADLESS, 1, 0);
	/* One record can wait for room: what is gone matters more than what was set aside, and can still be looked at. */
	if (found.torn_bytes != 0 && j->held == NULL)
		put_own(j, LOST_TORN, 1, found.torn_bytes);
	return 0;
}

#define LAST_MS 1000

/* Others are still ending, and say what they have. The supervisor's own source ends with itself, not before. */
static void wait_for_last(struct journal_role *j)
{
	uint64_t until = clock_mono().ns + LAST_MS * 1000000ull;
	bool open = true;

	while (open && clock_mono().ns < until) {
		struct pollfd p[SOURCES];

		open = false;
		for (size_t i = 0; i < j->n_sources; i++)
			p[i] = (struct pollfd){ .fd = j->sources[i].fd, .events = POLLIN };
		if (poll(p, (nfds_t)j->n_sources, 0) < 0)
			return;
		for (size_t i = 0; i < j->n_sources; i++) {
			if ((p[i].revents & POLLIN) != 0)
				read_source(j, &j->sources[i]);
			open |= j->sources[i].role != ROLE_SUPERVISOR && (p[i].revents & (POLLIN | POLLHUP)) != POLLHUP;
		}
		if (open && j->held == NULL)
			poll(NULL, 0, 5);
		open &= j->held == NULL;
	}
}

static void last_words(struct journal_role *j)
{
	wait_for_last(j);
	for (size_t i = 0; i < j->n_sources; i++)
		read_source(j, &j->sources[i]);
	write_merged(j, true);
	sync_due(j, 0, true);
}

int role_journal(void)
{
	static struct journal_role j; /* large, and there is one */
	struct err e = { 0 };

	if (sandbox_enter(ROLE_JOURNAL, &e) < 0) {
		fprintf(stderr, "sekishod journal: %s\n", e.text);
		return 1;
	}
	if (open_chain(&j) != 0)
		return 1;
	if (msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		return 0;
	for (;;) {
		struct pollfd p[SOURCES + 1] = { { .fd = ROLE_FD_CONTROL, .events = POLLIN } };
		size_t n = j.held == NULL ? j.n_sources : 0;
		uint64_t now = clock_mono().ns;
		bool ended;

		for (size_t i = 0; i < n; i++)
			p[i + 1] = (struct pollfd){ .fd = j.sources[i].fd, .events = POLLIN };
		if (poll(p, (nfds_t)n + 1, wait_ms(&j, now)) < 0)
			continue;
		/* Names before the records that they are for. */
		ended = p[0].revents != 0 && !control(&j);
		for (size_t i = 0; i < n && !ended; i++)
			if (p[i + 1].revents != 0)
				read_source(&j, &j.sources[i]);
		write_merged(&j, false);
		now = clock_mono().ns;
		retry(&j, now);
		sync_due(&j, now, false);
		if (ended) {
			last_words(&j);
			return 0;
		}
	}
}

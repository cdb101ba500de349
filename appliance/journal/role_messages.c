/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "appliance/base/sentence.h"
#include "appliance/journal/access.h"
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
#include "appliance/journal/search.h"
#include "appliance/journal/wait.h"
#include "appliance/role/roles.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/filter.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/msg_json.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"

#define GENERATION_BYTES (256u << 20)
#define ANSWER_RECORDS 5000u
#define DOORS_BYTES (1u << 20)

/* ---- questions ------------------------------------------------------------------------------- */

static bool answer_with(uint32_t id, enum answer_status status, json_t *j)
{
	return msg_answer(ROLE_FD_CONTROL, id, status, j) == 0;
}

static bool on_status(void *ctx, struct msg *m)
{
	const struct journal_role *j = ctx;
	const struct journal *c = &j->chain;
	struct msg_body a = { MSG_JOURNAL_STATUS,
			      .journal_status = { .records = c->next_seq - 1,
						  .last = c->last_wall_ns,
						  .lost = j->intake.lost,
						  .merged = j->intake.merge.merged + j->intake.shares.summed,
						  .malformed = j->intake.malformed,
						  .unwritable = j->writing.unwritable,
						  .failures = j->writing.failures,
						  .keep_days = j->keeping.rule.keep_days,
						  .delete_after_days = j->keeping.rule.delete_after_days,
						  .waiting = wait_count(&j->writing.wait),
						  .left_out = wait_dropped(&j->writing.wait),
						  .reserve = j->reserve.size,
						  .stuck = j->keeping.stuck[0] != 0,
						  .trouble = j->writing.trouble,
						  .signed_to = j->signing.to,
						  .unsigned_records = j->signing.unsigned_n,
						  .signs = j->signing.signer.ready,
						  .holds = (uint32_t)j->keeping.holds.n,
						  .held = j->keeping.held,
						  .holds_damaged = role_hold_damaged(j),
						  .searches_stopped = j->hearing.stopped } };

	memcpy(a.journal_status.head, c->hash, sizeof(a.journal_status.head));
	role_device_status(j, &a.journal_status);
	role_weak_status(j, &a.journal_status);
	role_attack_status(j, &a.journal_status);
	role_disk_status(j, &a.journal_status);
	return msg_send(ROLE_FD_CONTROL, m->id, &a, NULL, 0) == 0;
}

/* The journal's part of `effective`: how long records stay, and what observing conduits would have
 * refused. */
static bool on_effective(void *ctx, struct msg *m)
{
	struct journal_role *j = ctx;

	return answer_with(m->id, ANSWER_YES,
			   json_pack("{s:I, s:I, s:o}", "keep_days", (json_int_t)j->keeping.rule.keep_days,
				     "delete_after_days", (json_int_t)j->keeping.rule.delete_after_days, "observed",
				     role_clean_json(j)));
}

static json_t *error_json(const char *text)
{
	return json_pack("{s:o}", "error", json_text(text));
}

static json_t *nonsense(void)
{
	struct sentence why;

	sentence_say(&why, M_ASKED_NONSENSE);
	return json_pack("{s:o}", "error", sentence_json(&why));
}

/* Notes a reading: who asked what, and the records that the answer has. */
static void note_reading(struct journal_role *j, const struct access_reader *who, const char *what, const json_t *list)
{
	uint64_t fresh = 0, now = clock_mono().ns;
	struct event e;

	json_each(record, list) {
		const char *kind = json_string_value(json_object_get(record, "kind"));

		fresh += kind == NULL || event_kind_by_word(kind) != EVENT_ACCESS;
	}
	if (access_in(&j->readings, who, what, json_array_size(list), fresh, now, clock_wall_ns(), &e))
		role_put(j, &e, ROLE_JOURNAL, 1);
}

static void note_events(struct journal_role *j, const struct msg_events *asked, const json_t *list)
{
	struct access_reader who = { .web = asked->web != 0 };
	char what[EVENT_TEXT];

	if (asked->family == 4 || asked->family == 6) {
		who.from.family = asked->family;
		memcpy(who.from.b, asked->from, sizeof(who.from.b));
	}
	memcpy(who.by, asked->by, sizeof(who.by) - 1);
	access_filter_text(&asked->filter, what);
	note_reading(j, &who, what, list);
}

/* Ends a question whose asker has left. Nobody reads the answer, but it tells control that the
 * question is over. */
static bool answer_stopped(struct journal_role *j, uint32_t id)
{
	j->hearing.stopped++;
	return answer_with(id, ANSWER_CANNOT, error_json("stopped"));
}

/*
 * Whether the asker of the present question has left. To find that out, it reads waiting messages
 * while there is room for them, because one question may take a while.
 */
static bool nobody_waits(void *ctx)
{
	struct journal_role *j = ctx;
	struct journal_hearing *h = &j->hearing;

	while (h->n < HEARING_MOST && h->broken == 0) {
		struct pollfd p = { .fd = ROLE_FD_CONTROL, .events = POLLIN };
		struct msg *m = &h->kept[h->n];
		int r;

		if (poll(&p, 1, 0) <= 0)
			break;
		r = msg_recv(ROLE_FD_CONTROL, ROLE_SUPERVISOR, ROLE_JOURNAL, m);
		if (r == -EAGAIN || r == -EINTR)
			break;
		if (r != 1)
			h->broken = r < 0 ? r : -EPIPE;
		else if (m->body.type == MSG_STOP && m->id == h->work)
			h->stop = true;
		else
			h->n++;
	}
	return h->stop || h->broken != 0;
}

static bool answer_events(struct journal_role *j, uint32_t id, const struct msg_events *asked)
{
	const struct journal_patience patience = { nobody_waits, j };
	struct line_filter filter;
	struct err e = { 0 };
	uint64_t next;
	json_t *list;

	j->hearing.work = id;
	j->hearing.stop = false;
	/* Sums and merged records that are due are written first, so that the answer has them. */
	role_write_merged(j, false);
	if (!line_filter_make(&asked->filter, &filter))
		return answer_with(id, ANSWER_INVALID, nonsense());
	list = journal_read(&j->chain, asked->after, asked->most < ANSWER_RECORDS ? asked->most : ANSWER_RECORDS,
			    event_filter_any(&asked->filter) ? NULL : &filter, &patience, &next, &e);
	if (list == NULL && e.code == -ECANCELED)
		return answer_stopped(j, id);
	if (list == NULL)
		return answer_with(id, ANSWER_CANNOT, error_json(e.text));
	note_events(j, asked, list);
	/* Record numbers do not exceed JSON's signed integers. */
	next = next < INT64_MAX ? next : INT64_MAX;
	return answer_with(id, ANSWER_YES, json_pack("{s:o, s:I}", "events", list, "next", (json_int_t)next));
}

static bool answer_explain(struct journal_role *j, uint32_t id, const struct msg_explain *asked)
{
	uint64_t next, seq = asked->seq;
	struct access_reader who = { 0 };
	char what[EVENT_TEXT];
	struct err e = { 0 };
	json_t *list, *record;
	bool sent;

	role_write_merged(j, false);
	if (seq == 0)
		return answer_with(id, ANSWER_INVALID, nonsense());
	list = journal_read(&j->chain, seq - 1, 1, NULL, NULL, &next, &e);
	if (list == NULL)
		return answer_with(id, ANSWER_CANNOT, error_json(e.text));
	record = next == seq ? json_array_get(list, 0) : NULL;
	memcpy(who.by, asked->by, sizeof(who.by) - 1);
	snprintf(what, sizeof(what), "record %" PRIu64, seq);
	note_reading(j, &who, what, list);
	if (record != NULL)
		sent = answer_with(id, ANSWER_YES, json_pack("{s:O}", "event", record));
	else
		sent = answer_with(id, ANSWER_NO, json_pack("{s:n}", "event"));
	json_decref(list);
	return sent;
}

/* Answers with a signed checkpoint that is on the disk and so is final. */
static bool on_checkpoint(void *ctx, struct msg *m)
{
	struct journal_role *j = ctx;
	char pem[CHECKPOINT_PEM];
	uint64_t number;

	role_write_merged(j, false);
	if (!role_key(j))
		return answer_with(m->id, ANSWER_CANNOT, error_json(j->signing.no_key));
	if (!role_checkpoint(j, false))
		return answer_with(m->id, ANSWER_CANNOT,
				   error_json(j->writing.trouble[0] != 0 ? j->writing.trouble : "nothing to sign"));
	number = j->chain.next_seq - 1;
	role_sync(j, clock_mono().ns, true);
	if (j->chain.dirty)
		return answer_with(m->id, ANSWER_CANNOT, error_json(j->writing.trouble));
	checkpoint_pem(j->signing.signer.public, pem);
	return answer_with(
		m->id, ANSWER_YES,
		json_pack("{s:I, s:O, s:s}", "seq", (json_int_t)number, "checkpoint", j->signing.last, "key", pem));
}

/* Queues a question, because it may read files for a while. After all messages are read, one
 * question is answered each turn, so that records are written in between. */
static bool on_question(void *ctx, struct msg *m)
{
	struct journal_role *j = ctx;

	if (j->n_asked == QUESTIONS)
		return answer_with(m->id, ANSWER_CANNOT, error_json("too many questions"));
	j->asked[j->n_asked++] = (struct waiting){ m->id, m->body };
	return true;
}

/* Drops a question that has not begun. If it is already answered, nothing is to be done. */
static bool on_stop(void *ctx, struct msg *m)
{
	struct journal_role *j = ctx;
	size_t at = 0;

	while (at < j->n_asked && j->asked[at].id != m->id)
		at++;
	if (at == j->n_asked)
		return true;
	memmove(&j->asked[at], &j->asked[at + 1], (j->n_asked - at - 1) * sizeof(j->asked[0]));
	j->n_asked--;
	return answer_stopped(j, m->id);
}

bool role_answer(struct journal_role *j)
{
	struct waiting q = j->asked[0];

	if (j->n_asked == 0)
		return true;
	memmove(&j->asked[0], &j->asked[1], --j->n_asked * sizeof(q));
	return q.body.type == MSG_EVENTS ? answer_events(j, q.id, &q.body.events)
					 : answer_explain(j, q.id, &q.body.explain);
}

/* ---- messages -------------------------------------------------------------------------------- */

static bool on_source(void *ctx, struct msg *m)
{
	struct journal_role *j = ctx;

	if (j->intake.n_sources == SOURCES)
		return false;
	j->intake.sources[j->intake.n_sources++] = (struct source){ .fd = msg_take_fd(m, 0),
								    .role = (enum role)m->body.source.role,
								    .index = m->body.source.index };
	return true;
}

static void on_generation(struct journal_role *j, const struct msg *m)
{
	const struct msg_generation *b = &m->body.generation;
	struct names_source from = { 0 };
	struct err e = { 0 };
	uint8_t *all = NULL;
	size_t n;
	int r;

	/* Without names, records have numbers only: that is reported, but no reason to end. */
	r = memfd_read(m->fds[0], GENERATION_BYTES, &all, &n, &e);
	if (r == 0 && (b->n_sealed > n || b->n_ids > n - b->n_sealed))
		r = err_set(&e, -EBADMSG, "names of a generation");
	if (r == 0) {
		from = (struct names_source){ .number = b->which.number,
					      .sealed = all,
					      .n_sealed = b->n_sealed,
					      .permits = bytes_of(all + b->n_sealed, b->n_ids),
					      .interfaces = b->interfaces.list,
					      .n_interfaces = b->interfaces.n,
					      .carried = bytes_of(all + b->n_sealed + b->n_ids,
								  n - b->n_sealed - b->n_ids) };
		/* first of all, so that it is not lost if this process ends now */
		remembered_put(JOURNAL_FD_NAMES, &from, b->which);
		r = names_add(&j->names, &from, &e);
	}
	free(all);
	/* The first generation that is added after the start is the one that was in force
	 * before. */
	if (j->was_empty && b->which.number != 0)
		role_put_own(j, LOST_EMPTIED, 1, 0, NULL);
	j->was_empty = false;
	if (r == 0) {
		role_attack_rule(j);
		role_clean_rule(j);
	}
	if (r < 0)
		fprintf(stderr, "sekishod journal: %s\n", e.text);
}

/* What waits to be merged belongs to the openings before. */
static void on_doors(struct journal_role *j, const struct msg *m)
{
	role_write_merged(j, true);
	names_doors(&j->names, json_of_memfd(m->fds[0], DOORS_BYTES));
}

void role_names(struct journal_role *j)
{
	struct pollfd p = { .fd = JOURNAL_FD_TOLD, .events = POLLIN };
	struct msg m;

	while (poll(&p, 1, 0) > 0 && msg_recv(JOURNAL_FD_TOLD, ROLE_SUPERVISOR, ROLE_JOURNAL, &m) == 1) {
		if (m.body.type == MSG_GENERATION)
			on_generation(j, &m);
		else if (m.body.type == MSG_DOORS)
			on_doors(j, &m);
		msg_close_fds(&m);
	}
}

static bool on_copy(void *ctx, struct msg *m)
{
	return role_copy(ctx, m->id, &m->body.copy);
}

static bool on_retention(void *ctx, struct msg *m)
{
	const struct msg_retention *b = &m->body.retention;

	role_keep_rule(ctx, &(struct keep_rule){ b->keep_days, b->delete_after_days });
	return true;
}

static json_t *check(struct journal_role *j, const struct msg *m, enum answer_status *ret)
{
	return role_check_json(j, clock_mono().ns, ret);
}

/* Who carries out a person's order, or answers at once. */
static bool on_order(void *ctx, struct msg *m)
{
	static json_t *(*const orders[MSG_TYPE_COUNT])(struct journal_role *, const struct msg *,
						       enum answer_status *) = {
		[MSG_HOLD] = role_hold_order,	   [MSG_PRESERVE] = role_preserved, [MSG_DEVICES] = role_device_order,
		[MSG_ATTACKS] = role_attack_order, [MSG_TRENDS] = role_trends_json, [MSG_CHAIN] = check,
	};
	enum answer_status status = ANSWER_YES;
	json_t *said;

	/* What such an order is about includes the records that wait to be merged. */
	if (m->body.type == MSG_HOLD || m->body.type == MSG_PRESERVE)
		role_write_merged(ctx, false);
	said = orders[m->body.type](ctx, m, &status);
	return answer_with(m->id, said != NULL ? status : ANSWER_CANNOT, said);
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_SOURCE] = on_source,
	[MSG_STATUS] = on_status,
	[MSG_EFFECTIVE] = on_effective,
	[MSG_EVENTS] = on_question,
	[MSG_EXPLAIN] = on_question,
	[MSG_RETENTION] = on_retention,
	[MSG_CHECKPOINT] = on_checkpoint,
	[MSG_HOLD] = on_order,
	[MSG_PRESERVE] = on_order,
	[MSG_DEVICES] = on_order,
	[MSG_ATTACKS] = on_order,
	[MSG_COPY] = on_copy,
	[MSG_STOP] = on_stop,
	[MSG_TRENDS] = on_order,
	[MSG_CHAIN] = on_order,
};

bool role_heard(const struct journal_role *j)
{
	return j->hearing.n > 0 || j->hearing.broken != 0;
}

bool role_hear(struct journal_role *j)
{
	struct pollfd p = { .fd = ROLE_FD_CONTROL, .events = POLLIN };
	struct journal_hearing *h = &j->hearing;
	size_t n = h->n;
	int r;

	h->n = 0;
	for (size_t i = 0; i < n; i++)
		if (!msg_dispatch(handlers, j, &h->kept[i]))
			return false;
	if (h->broken != 0)
		return false;
	if (poll(&p, 1, 0) <= 0)
		return true;
	do
		r = msg_serve(ROLE_FD_CONTROL, ROLE_JOURNAL, handlers, j);
	while (r == 1 && poll(&p, 1, 0) > 0);
	return r == 1 || r == -EAGAIN;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to a line: floods are merged, shares kept, and what the disk does not take is held until it does. */
#include <errno.h>
#include <stdio.h>

#include "appliance/base/clock.h"
#include "appliance/journal/json.h"
#include "appliance/journal/role_private.h"

#define SYNC_NS 100000000ull
#define RETRY_NS 1000000000ull

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

void role_retry(struct journal_role *j, uint64_t now)
{
	json_t *record = j->held;

	if (record == NULL || now < j->retry_at)
		return;
	j->held = NULL;
	put(j, record);
}

void role_sync(struct journal_role *j, uint64_t now, bool at_once)
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

void role_put_own(struct journal_role *j, enum lost_event what, uint64_t count, uint64_t value)
{
	struct event e = event_new(EVENT_LOST, clock_wall_ns());

	e.code = (uint8_t)what;
	e.count = count;
	e.value = value;
	put(j, event_json(&e, ROLE_JOURNAL, &j->names));
}

static void put_shared(struct journal_role *j, const struct event *e, enum role from)
{
	if (share_in(&j->shares, e, from, clock_mono().ns))
		put_event(j, e, from, 1);
}

void role_take(struct journal_role *j, const struct event *e, enum role from)
{
	struct event out;
	enum role by;

	if (merge_in(&j->merge, e, from, clock_mono().ns, &out, &by))
		put_shared(j, &out, by);
}

void role_write_merged(struct journal_role *j, bool all)
{
	struct event e;
	enum role from;
	uint64_t records;

	while (j->held == NULL && merge_out(&j->merge, clock_mono().ns, all, &e, &from))
		put_shared(j, &e, from);
	while (j->held == NULL && share_out(&j->shares, clock_mono().ns, all, &e, &from, &records))
		put_event(j, &e, from, records);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to a line: floods are merged, shares kept, and what the disk does not take waits for room. */
#include <errno.h>

#include "appliance/base/clock.h"
#include "appliance/journal/json.h"
#include "appliance/journal/role_private.h"

#define SYNC_NS 100000000ull
#define LATE_NS 60000000000ull /* the longest that a record is on its way; a machine that slept took longer */

bool role_write(struct journal_role *j, json_t *record, bool grave)
{
	struct err e = { 0 };
	int r;

	do
		r = journal_append(&j->chain, json_incref(record), &e);
	while (role_no_room(r) && grave && reserve_release(&j->reserve));
	json_decref(record);
	if (r == -ENOMEM) {
		j->unwritable++;
		return true;
	}
	/* ... at any attempt: what was given back of the reserve is wanted again. */
	if (e.text[0] != 0)
		role_press(j, &e);
	if (r == 0 && j->sync_at == 0)
		j->sync_at = clock_mono().ns + SYNC_NS;
	if (r == 0)
		role_sign_written(j);
	return r == 0;
}

void role_sync(struct journal_role *j, uint64_t now, bool at_once)
{
	struct err e = { 0 };
	int r;

	if (j->sync_at == 0 || (!at_once && now < j->sync_at))
		return;
	r = journal_sync(&j->chain, &e);
	if (role_no_room(r) && reserve_release(&j->reserve))
		r = journal_sync(&j->chain, &e);
	if (e.text[0] != 0)
		role_press(j, &e);
	j->sync_at = r < 0 ? now + RETRY_NS : 0;
	/* Not before: a line that was taken is worth little while the disk does not keep it. */
	if (r == 0 && !j->pressed)
		j->trouble[0] = 0;
}

void role_put(struct journal_role *j, const struct event *e, enum role from, uint64_t records)
{
	json_t *record;

	if (j->pressed) {
		role_wait(j, e, from, records);
		return;
	}
	record = role_record(j, e, from, records);
	if (record == NULL)
		j->unwritable++;
	else if (!role_write(j, record, wait_class_of(e) <= WAIT_GRAVE))
		role_wait(j, e, from, records);
}

json_t *role_record(const struct journal_role *j, const struct event *e, enum role from, uint64_t records)
{
	json_t *record = event_json(e, from, &j->names);

	if (record != NULL && records > 1)
		json_object_set_new(record, "records", json_integer((json_int_t)records));
	return record;
}

void role_put_own(struct journal_role *j, enum lost_event what, uint64_t count, uint64_t value, const char *object)
{
	struct event e = event_new(EVENT_LOST, clock_wall_ns());

	e.code = (uint8_t)what;
	e.count = count;
	e.value = value;
	if (object != NULL)
		event_say(&e, EVENT_OBJECT, object);
	role_put(j, &e, ROLE_JOURNAL, 1);
}

static void put_event(struct journal_role *j, const struct event *e, enum role from, uint64_t records)
{
	if (e->kind == EVENT_LOST)
		j->lost += e->count;
	role_put(j, e, from, records);
}

static void put_shared(struct journal_role *j, const struct event *e, enum role from)
{
	if (share_in(&j->shares, e, from, clock_mono().ns))
		put_event(j, e, from, 1);
}

/*
 * Searches go by a record's time, and its sender may say any: one that it cannot have been made at becomes that of its coming, and
 * what was said is kept beside it. A clock that was set while the record was on its way looks the same.
 */
static struct event at_its_time(const struct event *e)
{
	uint64_t now = clock_wall_ns();
	struct event heard = *e;

	heard.said_ns = 0;
	if (e->wall_ns > now || now - e->wall_ns > LATE_NS) {
		heard.wall_ns = now;
		/* 0 is what a record has that was not contradicted. */
		heard.said_ns = e->wall_ns != 0 ? e->wall_ns : 1;
	}
	return heard;
}

void role_take(struct journal_role *j, const struct event *e, enum role from)
{
	const struct event heard = at_its_time(e);
	struct event out;
	enum role by;

	if (heard.kind == EVENT_DEVICE) {
		role_device_heard(j, &heard);
		return;
	}
	if (heard.kind == EVENT_WEAK)
		role_weak_seen(j, &heard);
	if (heard.kind == EVENT_ACCOUNT && (heard.code == ACCOUNT_REVIEWED || heard.code == ACCOUNT_REVIEWED_FOUND))
		role_weak_reviewed(j, &heard);
	if (merge_in(&j->merge, &heard, from, clock_mono().ns, &out, &by))
		put_shared(j, &out, by);
}

void role_write_merged(struct journal_role *j, bool all)
{
	struct event e;
	enum role from;
	uint64_t records;

	while (access_out(&j->readings, clock_mono().ns, all, &e))
		role_put(j, &e, ROLE_JOURNAL, 1);
	while (merge_out(&j->merge, clock_mono().ns, all, &e, &from))
		put_shared(j, &e, from);
	while (share_out(&j->shares, clock_mono().ns, all, &e, &from, &records))
		put_event(j, &e, from, records);
}

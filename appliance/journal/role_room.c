/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A full disk. What matters most is still written, from the reserve; the rest waits in memory (wait.h), and what finds no place there is
 * counted. When the reserve is whole again there is room: then all that waits is written, the gravest first, and one record
 * says what was left out. Until that is written it is not forgotten. A file that is half packed gives its room back at once.
 *
 * A journal that is killed meanwhile takes with it what it had in memory: the record that it died is all that says so.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "appliance/base/clock.h"
#include "appliance/journal/json.h"
#include "appliance/journal/role_private.h"

#define TORN_PIECES 4u /* of the reserve: more than a line takes */

bool role_no_room(int code)
{
	return code == -ENOSPC || code == -EDQUOT;
}

int role_open(struct journal_role *j, int dirfd, struct journal_recovery *ret, struct err *e)
{
	int r;

	/* Of a journal that was killed while it packed; a torn end and the reserve may need its room. */
	pack_drop(&j->pack, dirfd);
	reserve_begin(dirfd, &j->reserve);
	r = journal_open(dirfd, &j->chain, ret, e);
	if (role_no_room(r)) {
		for (unsigned i = 0; i < TORN_PIECES && reserve_release(&j->reserve); i++)
			;
		r = journal_open(dirfd, &j->chain, ret, e);
	}
	if (role_no_room(r))
		r = journal_open_without_room(dirfd, &j->chain, ret, e);
	if (r < 0) {
		reserve_end(&j->reserve);
		return r;
	}
	if (reserve_build(&j->reserve, e) < 0)
		role_press(j, e);
	return 0;
}

void role_press(struct journal_role *j, const struct err *e)
{
	j->failures++;
	if (j->trouble[0] == 0)
		fprintf(stderr, "sekishod journal: %s\n", e->text);
	snprintf(j->trouble, sizeof(j->trouble), "%s", e->text);
	role_keep_make_room(j);
	if (!j->pressed)
		j->retry_at = clock_mono().ns + RETRY_NS;
	j->pressed = true;
	j->full = role_no_room(e->code);
}

/* Of those that wait, as far as `to`. False: the disk does not take one. */
static bool write_waiting(struct journal_role *j, enum wait_class to)
{
	const struct wait_record *w;

	while ((w = wait_first(&j->wait, to)) != NULL) {
		json_t *record = role_record(j, &w->event, w->from, w->records);

		if (record == NULL)
			j->unwritable++;
		else if (!role_write(j, record, wait_class_of(&w->event) <= WAIT_GRAVE))
			return false;
		wait_taken(&j->wait, w);
	}
	return true;
}

void role_wait(struct journal_role *j, const struct event *e, enum role from, uint64_t records)
{
	wait_in(&j->wait, e, from, records);
	/* One that the reserve is for is written at once, while there is some. */
	if (j->pressed && wait_class_of(e) <= WAIT_GRAVE && j->reserve.size > 0)
		write_waiting(j, WAIT_GRAVE);
}

static json_t *dropped_json(const struct wait_dropped *d)
{
	json_t *o = json_pack("{s:o, s:o}", "first", json_time(d->first_ns), "last", json_time(d->last_ns));

	for (enum wait_class c = 0; c < WAIT_CLASSES; c++)
		json_object_set_new(o, wait_class_word(c), json_integer((json_int_t)d->of[c]));
	json_object_set_new(o, "packets", json_integer((json_int_t)d->packets));
	json_object_set_new(o, "lost", json_integer((json_int_t)d->lost));
	return o;
}

/* What was left out, in one record. True: nothing is left to tell. */
static bool tell(struct journal_role *j, bool from_reserve)
{
	const struct wait_dropped *d = &j->wait.dropped;
	struct event e = event_new(EVENT_LOST, clock_wall_ns());
	char text[EVENT_TEXT];
	uint64_t number = j->chain.next_seq;
	json_t *record;

	e.code = LOST_NO_ROOM;
	e.count = wait_dropped(&j->wait);
	if (e.count == 0)
		return true;
	snprintf(text, sizeof(text), "policy %" PRIu64 ", box %" PRIu64 ", other %" PRIu64 ", traffic %" PRIu64,
		 d->of[WAIT_POLICY], d->of[WAIT_BOX], d->of[WAIT_OTHER], d->of[WAIT_TRAFFIC]);
	event_say(&e, EVENT_OBJECT, text);
	record = role_record(j, &e, ROLE_JOURNAL, 1);
	if (record != NULL)
		json_object_set_new(record, "dropped", dropped_json(d));
	if (record == NULL || !role_write(j, record, from_reserve) || j->chain.next_seq == number)
		return false;
	j->lost += e.count;
	wait_told(&j->wait);
	return true;
}

void role_retry(struct journal_role *j, uint64_t now)
{
	struct err e = { 0 };

	if (!j->pressed || now < j->retry_at)
		return;
	j->retry_at = now + RETRY_NS;
	if (reserve_build(&j->reserve, &e) < 0) {
		role_press(j, &e);
		write_waiting(j, WAIT_GRAVE);
		return;
	}
	/* A grave one among them may have spent of the reserve: then there was no room after all. */
	if (!write_waiting(j, WAIT_TRAFFIC) || !tell(j, false) || reserve_build(&j->reserve, &e) < 0)
		return;
	j->pressed = false;
	if (j->sync_at == 0)
		j->sync_at = now;
}

void role_room_end(struct journal_role *j)
{
	if (!j->pressed)
		return;
	role_retry(j, j->retry_at);
	if (!j->pressed)
		return;
	wait_drop(&j->wait, WAIT_GRAVE);
	write_waiting(j, WAIT_GRAVE);
	if (!tell(j, true))
		fprintf(stderr, "sekishod journal: %" PRIu64 " records were left out for want of room on the disk\n",
			wait_dropped(&j->wait));
}

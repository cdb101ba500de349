/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Legal holds, as ordered by people through the supervisor. A new hold is on the disk before its
 * record. When a hold is lifted, the record is on the disk and signed before the hold ends. So
 * whatever happens in between, at least the recorded holds are kept.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "appliance/base/utf8.h"
#include "appliance/journal/reserve.h"
#include "appliance/journal/role_hold.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_write.h"
#include "appliance/journal/segment.h"

/* The folders of the file of holds: beside the records, and beside the key if that is another
 * folder. */
static size_t folders(const struct journal_role *j, int ret[HOLD_FOLDERS])
{
	ret[0] = j->chain.dirfd;
	ret[1] = j->signing.folder;
	return j->signing.folder > 0 ? 2 : 1;
}

/* Saves the list of holds, using the reserve if needed. */
static bool save_holds(struct journal_role *j, const struct holds *h, struct err *e)
{
	int list[HOLD_FOLDERS], r;
	size_t n = folders(j, list);

	do
		r = holds_save(list, n, h, e);
	while (role_no_room(r) && reserve_release(&j->reserve));
	if (role_no_room(r))
		role_press(j, e);
	return r == 0;
}

static void end_text(uint64_t seconds, char out[24])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds >= HOLD_OPEN || gmtime_r(&t, &tm) == NULL || strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, 24, "-");
}

static struct event event_of(enum lost_event what, const struct hold *h, const struct msg_hold *m, const char *by,
			     const char *person)
{
	struct event e = event_new(EVENT_LOST, clock_wall_ns());
	char from[24], until[24], text[EVENT_TEXT];

	end_text(h->from, from);
	end_text(h->until, until);
	snprintf(text, sizeof(text), "%" PRIu32 ", %s/%s%s%s", h->number, from, until, *person != 0 ? ", " : "",
		 person);
	e.code = (uint8_t)what;
	e.value = h->number;
	event_say(&e, EVENT_OBJECT, text);
	event_say(&e, EVENT_AFTER, m->reason);
	if (m->family == 4 || m->family == 6) {
		e.client.family = m->family;
		memcpy(e.client.b, m->from, sizeof(e.client.b));
	}
	event_say(&e, EVENT_BY, by);
	return e;
}

void role_hold_open(struct journal_role *j)
{
	int list[HOLD_FOLDERS];
	size_t n = folders(j, list);
	struct err e = { 0 };

	if (!holds_load(list, n, &j->keeping.holds))
		return;
	if (!save_holds(j, &j->keeping.holds, &e))
		fprintf(stderr, "sekishod journal: %s\n", e.text);
	role_put_own(j, LOST_HOLDS, 1, 0, NULL);
}

bool role_hold_damaged(const struct journal_role *j)
{
	for (size_t i = 0; i < j->keeping.holds.n; i++)
		if (j->keeping.holds.list[i].by[0] == 0)
			return true;
	return false;
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * Whether a hold covers the file, by the times of its first record and of its last write. The stamp
 * of the last write is used as well, because a clock that was set back can make the file look
 * older. holds_cover adds a margin for a clock that jumped in between.
 */
bool role_hold_keeps(struct journal_role *j, const struct keep_file *f)
{
	uint64_t first = 0;

	if (j->keeping.holds.n == 0)
		return false;
	segment_began(j->chain.dirfd, f->first, &first);
	return holds_cover(&j->keeping.holds, least_of(first, least_of(f->written, f->stamped)),
			   most_of(first, most_of(f->written, f->stamped))) != NULL;
}

/* The result of an order: which hold, and whether its record is signed. */
struct done {
	uint32_t number;
	bool is_signed;
};

/* Places a hold. NULL, or the reason why not. */
static const char *place_hold(struct journal_role *j, const struct msg_hold *m, struct done *ret)
{
	struct holds h = j->keeping.holds;
	struct hold *o = holds_place(&h);
	struct err e = { 0 };
	struct event said;

	if (o == NULL)
		return "too many holds";
	o->from = m->since;
	o->until = m->until;
	memcpy(o->by, m->by, sizeof(o->by) - 1);
	memcpy(o->person, m->person, sizeof(o->person) - 1);
	snprintf(o->reason, sizeof(o->reason), "%s", m->reason);
	if (!save_holds(j, &h, &e))
		return "no room on the disk";
	j->keeping.holds = h;
	ret->number = o->number;
	said = event_of(LOST_HELD, o, m, o->by, o->person);
	role_put(j, &said, ROLE_JOURNAL, 1);
	ret->is_signed = role_checkpoint(j, true);
	role_sync(j, clock_mono().ns, true);
	return NULL;
}

static const char *lift(struct journal_role *j, const struct msg_hold *m, struct done *ret)
{
	const struct hold *o = holds_find(&j->keeping.holds, m->number);
	char by[USER_BY] = "", person[HOLD_PERSON] = "";
	struct holds h = j->keeping.holds;
	struct err e = { 0 };
	json_t *record;
	struct event said;
	uint64_t number = j->chain.next_seq;

	if (o == NULL)
		return "no such hold";
	memcpy(by, m->by, sizeof(by) - 1);
	memcpy(person, m->person, sizeof(person) - 1);
	said = event_of(LOST_LET_GO, o, m, by, person);
	record = role_record(j, &said, ROLE_JOURNAL, 1);
	if (record == NULL || !role_write(j, record, true) || j->chain.next_seq == number)
		return "it could not be recorded, so it goes on";
	ret->is_signed = role_checkpoint(j, true);
	role_sync(j, clock_mono().ns, true);
	if (j->chain.dirty)
		return "it could not be recorded, so it goes on";
	holds_lift(&h, m->number);
	if (!save_holds(j, &h, &e))
		return "it is recorded, but the hold goes on, because the disk is full";
	j->keeping.holds = h;
	j->keeping.held = false;
	ret->number = m->number;
	return NULL;
}

json_t *role_hold_order(struct journal_role *j, const struct msg *asked, enum answer_status *ret)
{
	const struct msg_hold *m = &asked->body.hold;
	const char *why = NULL;
	struct done done = { 0 };
	json_t *answer;

	*ret = ANSWER_YES;
	if (m->order != HOLD_LIST && (m->since > m->until || text_is_blank(m->person, sizeof(m->person)) ||
				      text_is_blank(m->reason, HOLD_REASON))) {
		*ret = ANSWER_INVALID;
		return json_pack("{s:s}", "error", "malformed order");
	}
	if (m->order == HOLD_PLACE)
		why = place_hold(j, m, &done);
	if (m->order == HOLD_LIFT)
		why = lift(j, m, &done);
	if (why != NULL) {
		*ret = m->order == HOLD_LIFT && holds_find(&j->keeping.holds, m->number) == NULL ? ANSWER_NO
												 : ANSWER_CANNOT;
		return json_pack("{s:s}", "error", why);
	}
	answer = json_pack("{s:o, s:b, s:b}", "holds", holds_json(&j->keeping.holds), "held", j->keeping.held,
			   "damaged", role_hold_damaged(j));
	if (done.number != 0) {
		json_object_set_new(answer, "number", json_integer(done.number));
		json_object_set_new(answer, "signed", json_boolean(done.is_signed));
	}
	return answer;
}

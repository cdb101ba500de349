/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles an event before it becomes a line: checks its time against the clock, merges floods,
 * applies the shares.
 */
#include "appliance/journal/role_take.h"
#include "appliance/base/clock.h"
#include "appliance/journal/access.h"
#include "appliance/journal/merge.h"
#include "appliance/journal/role_attack.h"
#include "appliance/journal/role_clean.h"
#include "appliance/journal/role_device.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_trends.h"
#include "appliance/journal/role_weak.h"
#include "appliance/journal/role_write.h"
#include "appliance/journal/share.h"

/* the longest time in ns that an event needs to reach the journal; it needs longer only if the
 * machine slept */
#define LATE_NS 60000000000ull

static void put_event(struct journal_role *j, const struct event *e, enum role from, uint64_t records)
{
	if (e->kind == EVENT_LOST)
		j->intake.lost += e->count;
	role_put(j, e, from, records);
}

static void put_shared(struct journal_role *j, const struct event *e, enum role from)
{
	if (share_in(&j->intake.shares, e, from, clock_mono().ns))
		put_event(j, e, from, 1);
}

/*
 * Searches use an event's time, which its sender could forge. So an impossible time is replaced by
 * the time of arrival, and the original one is kept in `said_ns`. If the clock was set while the
 * event was on its way, the result is the same.
 */
static struct event at_its_time(const struct event *e)
{
	uint64_t now = clock_wall_ns();
	struct event heard = *e;

	heard.said_ns = 0;
	if (e->wall_ns > now || now - e->wall_ns > LATE_NS) {
		heard.wall_ns = now;
		/* 0 means that the time was accepted */
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
	if (role_trends_heard(j, &heard))
		return;
	role_attack_heard(j, &heard);
	role_clean_heard(j, &heard, from);
	if (heard.kind == EVENT_WEAK)
		role_weak_seen(j, &heard);
	if (heard.kind == EVENT_ACCOUNT && (heard.code == ACCOUNT_REVIEWED || heard.code == ACCOUNT_REVIEWED_FOUND))
		role_weak_reviewed(j, &heard);
	if (merge_in(&j->intake.merge, &heard, from, clock_mono().ns, &out, &by))
		put_shared(j, &out, by);
}

void role_write_merged(struct journal_role *j, bool all)
{
	struct event e;
	enum role from;
	uint64_t records;

	while (access_out(&j->readings, clock_mono().ns, all, &e))
		role_put(j, &e, ROLE_JOURNAL, 1);
	while (merge_out(&j->intake.merge, clock_mono().ns, all, &e, &from))
		put_shared(j, &e, from);
	while (share_out(&j->intake.shares, clock_mono().ns, all, &e, &from, &records))
		put_event(j, &e, from, records);
}

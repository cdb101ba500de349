/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control/unserved.h"

static uint64_t all_unanswered(const struct unserved_counts *c)
{
	uint64_t n = 0;

	for (unsigned f = 0; f < UNSERVED_FATES; f++)
		n += c->fates[f];
	return n;
}

/* Whether more packets passed their queue without a verdict than gates gave back. If so, a queue
 * overflowed in a lane that lets packets pass. */
static bool beyond(const struct unserved *u)
{
	uint64_t handed = 0;

	for (uint32_t l = 0; l < LANE_COUNT; l++)
		if (lane_lets_on(l))
			handed += u->sum.lanes[l][UNSERVED_AWAY];
	return all_unanswered(&u->sum) > handed;
}

struct news {
	bool room, away, any;
};

/* Adds the new counts. The cut lane is left out, because its sessions end in any case. */
static struct news add_counts(struct unserved *u, const struct unserved_counts *now)
{
	struct news ret = { 0 };

	for (uint32_t l = 0; l < LANE_COUNT; l++)
		for (unsigned c = 0; c < UNSERVED_CAUSES && l != LANE_CUT; c++) {
			uint64_t n = now->lanes[l][c] - u->was.lanes[l][c];

			u->sum.lanes[l][c] += n;
			ret.any |= n > 0;
			ret.room |= n > 0 && c != UNSERVED_AWAY;
			ret.away |= n > 0 && c == UNSERVED_AWAY;
		}
	for (unsigned f = 0; f < UNSERVED_FATES; f++) {
		uint64_t n = now->fates[f] - u->was.fates[f];

		u->sum.fates[f] += n;
		ret.any |= n > 0;
	}
	u->was = *now;
	return ret;
}

/* Whether gates have decided for longer, or more often, than the replacement of a worker
 * explains. */
static bool lasts(struct unserved *u, bool away, uint64_t now_ns)
{
	if (!away)
		return false;
	if (u->spells == 0 || now_ns - u->away_ns > UNSERVED_GAP_NS) {
		u->spell_ns = now_ns;
		u->spells++;
	}
	u->away_ns = now_ns;
	return u->spells >= UNSERVED_SPELLS || now_ns - u->spell_ns >= UNSERVED_LASTS_NS;
}

void unserved_forget(struct unserved *u)
{
	const struct unserved_counts was = u->was;

	*u = (struct unserved){ .was = was };
}

enum unserved_change unserved_look(struct unserved *u, const struct unserved_counts *now, uint64_t now_ns,
				   uint64_t wall_ns)
{
	struct news n;
	bool grave;

	n = add_counts(u, now);
	if (n.any) {
		if (u->last_ns == 0)
			u->since_wall_ns = wall_ns;
		u->last_ns = now_ns;
		u->last_wall_ns = wall_ns;
	}
	/* The counters of the kernel and of the gates are not read at the same moment. A difference
	 * that comes only from that is gone at the next look. */
	u->beyond = beyond(u) ? u->beyond + 1 : 0;
	grave = lasts(u, n.away, now_ns) || n.room || u->beyond >= 2;
	if (!u->on && grave) {
		u->on = true;
		return UNSERVED_BEGINS;
	}
	if (u->last_ns == 0 || now_ns - u->last_ns < UNSERVED_QUIET_NS)
		return UNSERVED_SAME;
	if (u->on) {
		u->on = false;
		return UNSERVED_ENDS;
	}
	unserved_forget(u);
	return UNSERVED_SAME;
}

uint64_t unserved_dropped(const struct unserved *u)
{
	uint64_t n = u->sum.fates[UNSERVED_CLOSED] + u->sum.fates[UNSERVED_HOLD_NEW];

	for (uint32_t l = 0; l < LANE_COUNT; l++) {
		n += u->sum.lanes[l][UNSERVED_FULL] + u->sum.lanes[l][UNSERVED_UNREAD];
		if (!lane_lets_on(l))
			n += u->sum.lanes[l][UNSERVED_AWAY];
	}
	return n;
}

uint64_t unserved_passed(const struct unserved *u)
{
	return u->sum.fates[UNSERVED_HELD] + u->sum.fates[UNSERVED_OPEN];
}

bool unserved_lane(const struct unserved *u, uint32_t lane)
{
	struct lane l;

	if (!lane_of(lane, &l))
		return false;
	for (unsigned c = 0; c < UNSERVED_CAUSES; c++)
		if (u->sum.lanes[lane][c] > 0)
			return true;
	return beyond(u) && l.when_overloaded != FAIL_CLOSED;
}

void deaf_forget(struct deaf *d)
{
	const uint64_t heard_ns = d->heard_ns;

	*d = (struct deaf){ .heard_ns = heard_ns };
}

static enum deaf_change hears(struct deaf *d, uint64_t now_ns)
{
	d->heard_ns = now_ns;
	if (d->on) {
		d->on = false;
		return DEAF_ENDS;
	}
	deaf_forget(d);
	return DEAF_SAME;
}

static void deaf_add(struct deaf *d, uint64_t packets, uint64_t now_ns, uint64_t wall_ns)
{
	if (d->first_ns == 0) {
		d->first_ns = now_ns;
		d->since_wall_ns = wall_ns;
	} else if (d->again_ns == 0 && now_ns - d->first_ns >= DEAF_APART_NS) {
		d->again_ns = now_ns;
	}
	d->packets += packets;
	d->last_wall_ns = wall_ns;
}

enum deaf_change deaf_look(struct deaf *d, uint64_t packets, bool heard, bool runs, uint64_t now_ns, uint64_t wall_ns)
{
	if (heard)
		return hears(d, now_ns);
	if (!d->on && !runs) {
		deaf_forget(d);
		return DEAF_SAME;
	}
	/* Packets that the tap has just received may be counted a little later. */
	if (packets > 0 && (d->on || d->heard_ns == 0 || now_ns - d->heard_ns >= DEAF_WAIT_NS))
		deaf_add(d, packets, now_ns, wall_ns);
	if (d->on || d->again_ns == 0 || now_ns - d->again_ns < DEAF_WAIT_NS)
		return DEAF_SAME;
	d->on = true;
	return DEAF_BEGINS;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/gate/overdue.h"
#include "appliance/gate/gate.h"

/* A longer time between two looks, in ns, counts only as this, because gate and worker may have had
 * no processor meanwhile. */
#define GAP_NS 40000000u

void overdue_verdict(struct overdue *o, uint32_t id)
{
	o->verdicts++;
	if ((int32_t)(id - o->mark) > 0)
		o->behind++;
}

static void overdue_mark(struct overdue *o, const struct queue_state *q)
{
	o->mark = q->last_id;
	o->lost = q->dropped_user;
	o->behind = 0;
	o->behind_ns = 0;
	o->behind_beats = 0;
}

/* How many of the packets that waited when the mark was set are still waiting. The result may be
 * too low, because the kernel may have removed packets or never queued them, but never too high. */
static int64_t left_at_mark(const struct overdue *o, const struct queue_state *q)
{
	int64_t since = (int64_t)(q->last_id - o->mark) - (int64_t)(q->dropped_user - o->lost);

	return (int64_t)q->outstanding - (since - (int64_t)o->behind);
}

/* Whether the worker has given this queue no verdict for too long, although its turn has come:
 * either the whole lane got no verdict, or the lane got more verdicts than packets waited in it. */
static bool left_alone(struct overdue *o, const struct overdue_lane *lane, bool quiet, uint64_t passed_ns,
		       uint32_t beats)
{
	bool stalled = lane->verdicts == o->seen;

	o->seen = lane->verdicts;
	o->stalled_ns = stalled ? o->stalled_ns + passed_ns : 0;
	o->stalled_beats = stalled ? o->stalled_beats + beats : 0;
	if (!quiet) {
		o->quiet_ns = 0;
		o->quiet_beats = 0;
		o->turn = lane->verdicts + lane->waiting;
		return false;
	}
	o->quiet_ns += passed_ns;
	o->quiet_beats += beats;
	if (o->stalled_ns >= OVERDUE_NS && o->stalled_beats >= OVERDUE_BEATS)
		return true;
	return o->quiet_ns >= OVERDUE_NS && o->quiet_beats >= OVERDUE_BEATS && lane->verdicts > o->turn;
}

bool overdue_look(struct overdue *o, const struct queue_state *q, const struct overdue_lane *lane, uint64_t passed_ns,
		  uint32_t beats)
{
	bool quiet = o->verdicts == 0;

	o->verdicts = 0;
	if (q->outstanding == 0) {
		o->marked = false;
		return false;
	}
	if (!o->marked) {
		overdue_mark(o, q);
		o->marked = true;
		o->stalled_ns = 0;
		o->stalled_beats = 0;
		return left_alone(o, lane, false, 0, 0);
	}
	passed_ns = passed_ns < GAP_NS ? passed_ns : GAP_NS;
	if (left_alone(o, lane, quiet, passed_ns, beats))
		return true;
	if (o->behind == 0)
		return false;
	o->behind_ns += passed_ns;
	o->behind_beats += beats;
	if (o->behind_ns < OVERDUE_NS || o->behind_beats < OVERDUE_BEATS)
		return false;
	if (left_at_mark(o, q) > 0)
		return true;
	overdue_mark(o, q);
	return false;
}

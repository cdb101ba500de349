/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/gate/overdue.h"

/* A longer time between two looks counts as this: whoever looks may have had no core, nor then the worker. */
#define GAP_NS 40000000u

void overdue_verdict(struct overdue *o, uint32_t id)
{
	o->verdicts++;
	if ((int32_t)(id - o->mark) > 0)
		o->behind++;
}

static void mark(struct overdue *o, const struct queue_state *q)
{
	o->mark = q->last_id;
	o->lost = q->dropped_user;
	o->behind = 0;
	o->behind_ns = 0;
	o->behind_beats = 0;
}

/* How many packets wait that were there at the mark. Never too many: what the kernel itself took out of the queue since,
 * or never put into it, only makes it less. */
static int64_t left_at_mark(const struct overdue *o, const struct queue_state *q)
{
	int64_t since = (int64_t)(q->last_id - o->mark) - (int64_t)(q->dropped_user - o->lost);

	return (int64_t)q->outstanding - (since - (int64_t)o->behind);
}

bool overdue_look(struct overdue *o, const struct queue_state *q, uint64_t passed_ns, uint32_t beats)
{
	uint32_t verdicts = o->verdicts;

	o->verdicts = 0;
	if (q->outstanding == 0) {
		o->marked = false;
		return false;
	}
	if (!o->marked) {
		mark(o, q);
		o->marked = true;
		o->quiet_ns = 0;
		o->quiet_beats = 0;
		return false;
	}
	passed_ns = passed_ns < GAP_NS ? passed_ns : GAP_NS;
	o->quiet_ns = verdicts > 0 ? 0 : o->quiet_ns + passed_ns;
	o->quiet_beats = verdicts > 0 ? 0 : o->quiet_beats + beats;
	if (o->quiet_ns >= OVERDUE_NS && o->quiet_beats >= OVERDUE_BEATS)
		return true;
	if (o->behind == 0)
		return false;
	o->behind_ns += passed_ns;
	o->behind_beats += beats;
	if (o->behind_ns < OVERDUE_NS || o->behind_beats < OVERDUE_BEATS)
		return false;
	if (left_at_mark(o, q) > 0)
		return true;
	mark(o, q);
	return false;
}

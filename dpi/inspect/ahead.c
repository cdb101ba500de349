/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/ahead.h"

#include "dpi/inspect/midstream.h"
#include "dpi/inspect/rejudge.h"
#include "dpi/inspect/wait.h"

/* Waits, or is decided when it cannot. */
static MUST_SEND struct verdict hold(struct crossing *x)
{
	struct verdict v = wait_compare(x);

	if (v.step == STEP_ON)
		v = wait_keep(x);
	if (v.step != STEP_ON)
		return v;
	return crossing_is_observed(x) ? midstream_await(x) : refuse(R_OUT_OF_ORDER);
}

/*
 * A session that ends when its worker dies takes along what is ahead of its gap. Where it goes on, whole allowed PDUs are what
 * a successor would let pass behind a pick-up. An end of the stream waits for what comes before it. Behind a SYN over the live
 * session a server that forgot it would read on from the number of that SYN, and see no gap; or keep it for the new session.
 */
static bool may_pass_ahead(const struct crossing *x)
{
	struct lane lane;

	if (x->dir == DIR_C2S && (x->f->stream.forgot || x->f->stream.anew) && !crossing_is_observed(x))
		return false;
	if (x->f->adrift[x->dir] || x->d.payload.left == 0 || (x->d.tcp_flags & TCP_FIN))
		return false;
	return crossing_is_observed(x) ||
	       (lane_of(x->permit->lane, &lane) && lane.when_down == FAIL_CLOSED &&
		lane.when_overloaded == FAIL_CLOSED && x->permit->midstream != MID_PICK_UP) ||
	       rejudge_allows_each(x, x->d.payload);
}

struct verdict ahead_take(struct crossing *x)
{
	struct verdict v = midstream_go_on_at(x);

	if (v.step != STEP_ON)
		return v;
	switch (may_pass_ahead(x) ? runs_add(&x->f->stream.dir[x->dir].runs, &x->i->pool, x->d.seq, x->d.payload)
				  : RUNS_NO_ROOM) {
	case RUNS_DIFFER:
		return end_flow(R_OVERLAP, PROTO_NONE);
	case RUNS_KEPT:
		crossing_touch(x);
		return pass(R_AHEAD);
	case RUNS_NO_ROOM:
		break;
	}
	return hold(x);
}

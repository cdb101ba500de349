/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Behind the queues: what becomes of a packet that a worker has judged, that nobody has answered, or that was queued to be cut. As
 * in witness.c, what is expected follows from the meaning of marks and lanes alone.
 */
#include "appliance/enforce/witness_private.h"

#include <linux/netfilter.h>

#include "appliance/wire/lane.h"

/* The packet comes back with a mark, and the base chains after the one that queued it decide. */
static struct walk_result resumed(const struct asking *a, struct walk_packet *p, const struct walk_result *queued,
				  uint32_t mark)
{
	struct walk_result r;

	p->mark = mark;
	a->w->packets++;
	r = walk(a->r, NF_INET_FORWARD, queued->priority, p);
	/* Judged once more when its permit had changed: the second answer counts. */
	if (r.end == WALK_QUEUE) {
		p->mark = mark;
		r = walk(a->r, NF_INET_FORWARD, r.priority, p);
	}
	return r;
}

/* A judged packet passes, and its session remembers what was said last; that it was confirmed nothing takes back. */
static void judged(struct asking *a, const struct tuple *t, struct walk_packet p, const struct walk_result *queued,
		   uint32_t said)
{
	uint32_t had = mark_outcome(p.ct_mark), id = mark_permit(p.ct_mark), lane = mark_lane(p.ct_mark);
	struct walk_result r = resumed(a, &p, queued, mark_make(id, 0, (enum mark_outcome)said));

	if (r.end != WALK_ACCEPT)
		witness_tell(a, t, "judged good", "refused", &r);
	else if (p.ct_mark != mark_make(id, lane, had == MARK_CONFIRMED ? MARK_CONFIRMED : (enum mark_outcome)said))
		witness_tell(a, t, "judged good, remembered as something else", "otherwise", &r);
}

static void expect_stopped(struct asking *a, const struct tuple *t, const char *kind, struct walk_packet p,
			   const struct walk_result *queued, uint32_t mark)
{
	struct walk_result r = resumed(a, &p, queued, mark);

	if (r.end == WALK_ACCEPT)
		witness_tell(a, t, kind, "passes", &r);
}

void witness_unanswered(struct asking *a, const struct tuple *t, const char *kind, struct walk_packet p,
			const struct walk_result *queued, uint32_t lane, bool judged_before)
{
	bool begins = p.l4proto == PROTO_TCP && (p.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	struct walk_result r;
	enum failure f;
	struct lane l;

	if (!lane_of(lane, &l))
		return;
	f = lane_unanswered(l);
	r = resumed(a, &p, queued, p.mark);
	if ((r.end == WALK_ACCEPT) != (f == FAIL_OPEN || (f == FAIL_HOLD && judged_before && !begins)))
		witness_tell(a, t, kind, r.end == WALK_ACCEPT ? "passes" : "refused", &r);
}

void witness_behind_queue(struct asking *a, const struct tuple *t, const struct walk_packet *p,
			  const struct walk_result *queued, uint32_t id, uint32_t lane)
{
	static const uint8_t flags[] = { TCP_ACK, TCP_SYN, TCP_SYN | TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST };
	struct walk_result r;
	struct walk_packet live = *p, stale = *p, stray = *p, again = *p;

	live.state = WALK_ESTABLISHED;
	for (uint32_t said = MARK_GOOD; said <= MARK_QUIET; said++) {
		judged(a, t, *p, queued, said);
		for (uint32_t had = MARK_GOOD; had <= MARK_QUIET; had++) {
			live.ct_mark = mark_make(id, lane, (enum mark_outcome)had);
			judged(a, t, live, queued, said);
		}
	}
	expect_stopped(a, t, "judged by another permit", *p, queued, mark_make(id ^ 0x200000u, 0, MARK_GOOD));
	expect_stopped(a, t, "out of the cut queue", *p, queued, mark_make(0, LANE_CUT, MARK_GOOD));
	/* Its permit changed while it was with a worker, who gets it again to judge by what holds now. */
	again.mark = mark_make(id ^ 0x200000u, 0, MARK_GOOD);
	r = walk(a->r, NF_INET_FORWARD, queued->priority, &again);
	if (!witness_is_lane(a, &r, lane, &again) || mark_permit(again.mark) != id)
		witness_tell(a, t, "judged by an earlier permit", "otherwise", &r);
	stale.ct_mark = mark_make(NO_PERMIT, lane, MARK_GOOD);
	expect_stopped(a, t, "judged by a permit that ended", stale, queued, mark_make(NO_PERMIT, 0, MARK_GOOD));
	stray.state = WALK_INVALID;
	expect_stopped(a, t, "judged, but of no session", stray, queued, mark_make(id, 0, MARK_GOOD));
	witness_unanswered(a, t, "new, unanswered", *p, queued, lane, false);
	live.ct_mark = mark_make(id, lane, MARK_GOOD);
	for (size_t i = 0; i < (p->l4proto == PROTO_TCP ? sizeof(flags) : 1); i++) {
		live.tcp_flags = flags[i];
		witness_unanswered(a, t, "live, unanswered", live, queued, lane, true);
	}
}

void witness_behind_cut(struct asking *a, const struct tuple *t, struct walk_packet p)
{
	const uint32_t marks[] = { p.ct_mark, mark_make(NO_PERMIT, 0, MARK_GOOD), mark_make(0, LANE_CUT, MARK_GOOD),
				   mark_make(0, LANE_CUT, MARK_UNJUDGED) };
	struct walk_result r = witness_forward(a, &p);

	if (r.end != WALK_QUEUE)
		return;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		expect_stopped(a, t, "permit ended, out of the cut queue", p, &r, marks[i]);
}

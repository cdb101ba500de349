/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the rules with test packets. The expected results are derived here from the policy
 * language and from the meaning of marks and lanes (wire/mark.h, wire/lane.h), not from the rules:
 * - a packet that no conduit allows never passes; - a packet that a conduit allows carries its
 * permit's mark and goes to its lane's queue, and behind the queue the outcome decides; - a packet
 * does not pass if it arrives at a wrong interface, or claims to be of a session that does not
 * exist.
 */
#include "appliance/enforce/witness.h"
#include "policy/ir/evaluate.h"

#include <linux/netfilter.h>
#include <stdio.h>

#include "appliance/base/clock.h"
#include "appliance/wire/lane.h"
#include "policy/ir/lasting.h"

#define TOLD_MAX 8u /* counterexamples of one kind that are reported */
#define CLIENT_PORT 40000u

bool witness_over(const struct asking *a)
{
	return a->told >= TOLD_MAX || (a->w->stopped != NULL && a->w->stopped(a->w->between_ctx)) ||
	       (a->deadline != 0 && clock_mono().ns > a->deadline);
}

static const char *transport_word(uint8_t l4proto, char buf[8])
{
	if (l4proto == WALK_TCP)
		return "tcp";
	if (l4proto == WALK_UDP)
		return "udp";
	if (l4proto == 1 || l4proto == 58)
		return "icmp";
	snprintf(buf, 8, "%u", l4proto);
	return buf;
}

void witness_tell(struct asking *a, const struct tuple *t, const char *kind, const char *what,
		  const struct walk_result *r)
{
	static const char *const ends[] = { "accept", "drop", "queue", "?" };
	char src[ADDR_TEXT], dst[ADDR_TEXT], number[8], text[300];
	const struct ir *ir = a->w->ir;

	addr_text(&t->src, src);
	addr_text(&t->dst, dst);
	snprintf(text, sizeof(text), "%s -> %s %s %s -> %s:%u (%s): chain %s: %s", ir->interfaces[t->in].name,
		 ir->interfaces[t->out].name, transport_word(t->l4proto, number), src, dst, t->port, kind,
		 r->chain != NULL ? r->chain : "-", ends[r->end]);
	a->told++;
	a->each(a->ctx, what, text);
}

struct walk_packet witness_packet(const struct asking *a, const struct tuple *t)
{
	return (struct walk_packet){
		.iif = a->w->interfaces[t->in],
		.oif = a->w->interfaces[t->out],
		.src = t->src,
		.dst = t->dst,
		.l4proto = t->l4proto,
		.sport = CLIENT_PORT,
		.dport = t->port,
		.tcp_flags = TCP_SYN,
		.hop_limit = 63,
		.routed = true,
		.first_src = t->src,
		.first_dst = t->dst,
		.first_port = t->port,
	};
}

/* Makes a later packet of the session that `p` opened, in either direction. */
static struct walk_packet later_packet(const struct walk_packet *p, bool reply, uint32_t ct_mark)
{
	struct walk_packet q = *p;
	bool ports = p->l4proto == WALK_TCP || p->l4proto == WALK_UDP;

	q.state = WALK_ESTABLISHED;
	q.tcp_flags = TCP_ACK;
	q.mark = 0;
	q.ct_mark = ct_mark;
	q.reply = reply;
	if (reply) {
		q.iif = p->oif;
		q.oif = p->iif;
		q.src = p->dst;
		q.dst = p->src;
		q.sport = ports ? p->dport : 0;
		/* ICMP: an echo reply */
		q.dport = ports ? p->sport : p->l4proto == 58 ? 129u << 8 : 0;
	}
	return q;
}

/* ---- from the wire to the queue, or through -------------------------------------------------- */

static const struct ir_permit *permit_of(const struct asking *a, uint32_t id)
{
	for (uint32_t i = 0; i < a->w->ir->n_permits; i++)
		if (a->w->ids[i] == id)
			return &a->w->ir->permits[i];
	return NULL;
}

/* The bits that the label has besides if the permit limits the time of its sessions. Test packets
 * count as within these limits. */
static uint32_t limits_of(const struct asking *a, uint32_t id)
{
	const struct ir_permit *p = permit_of(a, id);

	return p != NULL ? ir_label(p, id) & MARK_LIMITS : 0;
}

struct walk_result witness_forward(const struct asking *a, struct walk_packet *p)
{
	struct walk_result r = walk_hook(a->r, NF_INET_PRE_ROUTING, INT32_MIN, p);

	a->w->packets++;
	if (r.end != WALK_ACCEPT)
		return r;
	p->ct_mark |= limits_of(a, mark_permit(p->ct_mark));
	r = walk_hook(a->r, NF_INET_FORWARD, INT32_MIN, p);
	p->ct_mark &= ~MARK_LIMITS;
	return r;
}

static bool is_cut(const struct walk_result *r)
{
	return r->end == WALK_QUEUE && r->queue == lane_queue(LANE_CUT, 0) && !r->bypass;
}

/* Whether the packet is stopped: neither forwarded nor queued to a lane other than the cut lane,
 * which only resets. */
static bool is_refused(const struct walk_result *r)
{
	return r->end == WALK_DROP || is_cut(r);
}

/* Whether the packet was queued to this lane, with the lane's failure decision for a missing
 * worker. */
static bool is_lane(const struct asking *a, const struct walk_result *r, uint32_t lane, const struct walk_packet *p)
{
	const struct ir_permit *permit = permit_of(a, mark_permit(p->ct_mark));
	/* all its sessions must reach one worker */
	bool one = permit != NULL && ir_together(permit);
	struct lane l;

	return r->end == WALK_QUEUE && lane_of(lane, &l) && r->bypass == (l.when_down != FAIL_CLOSED) &&
	       r->queue == lane_queue(lane, one ? LANE_SLOT_TOGETHER : 0) && r->queues == (one ? 1 : LANE_SLOTS);
}

static void expect_refused(struct asking *a, const struct tuple *t, const char *kind, struct walk_packet p)
{
	struct walk_result r = witness_forward(a, &p);

	if (!is_refused(&r))
		witness_tell(a, t, kind, "passes", &r);
}

static void expect_dropped(struct asking *a, const struct tuple *t, const char *kind, struct walk_packet p)
{
	struct walk_result r = witness_forward(a, &p);

	if (r.end != WALK_DROP)
		witness_tell(a, t, kind, r.end == WALK_ACCEPT ? "passes" : "otherwise", &r);
}

/* ---- behind the queues: judged by a worker, answered by nobody, or queued to be cut ---------- */

/* Walks on with a packet that returns from its queue with a mark: the base chains behind the one
 * that queued it decide. */
static struct walk_result resumed(const struct asking *a, struct walk_packet *p, const struct walk_result *queued,
				  uint32_t mark)
{
	struct walk_result r;

	p->mark = mark;
	a->w->packets++;
	r = walk_hook(a->r, NF_INET_FORWARD, queued->priority, p);
	/* If the packet is queued again because its permit has changed, the second verdict
	 * counts. */
	if (r.end == WALK_QUEUE) {
		p->mark = mark;
		r = walk_hook(a->r, NF_INET_FORWARD, r.priority, p);
	}
	return r;
}

/* Tests that a packet that was judged passes, and that its session keeps the last outcome; but a
 * confirmation is never taken back. */
static void expect_judged(struct asking *a, const struct tuple *t, struct walk_packet p,
			  const struct walk_result *queued, uint32_t said)
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

/* Tests a packet that returns without a verdict, with the mark that it was queued with.
 * `judged_before`: an earlier packet of its session was judged. */
static void expect_unanswered(struct asking *a, const struct tuple *t, const char *kind, struct walk_packet p,
			      const struct walk_result *queued, uint32_t lane, bool judged_before)
{
	bool begins = p.l4proto == WALK_TCP && (p.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
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

/* Tests every possible verdict for the first packet of a session under this permit, and for a later
 * one. */
static void behind_queue(struct asking *a, const struct tuple *t, const struct walk_packet *p,
			 const struct walk_result *queued, uint32_t id, uint32_t lane)
{
	static const uint8_t flags[] = { TCP_ACK, TCP_SYN, TCP_SYN | TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST };
	struct walk_result r;
	struct walk_packet live = *p, stale = *p, stray = *p, again = *p;

	live.state = WALK_ESTABLISHED;
	for (uint32_t said = MARK_GOOD; said <= MARK_QUIET; said++) {
		expect_judged(a, t, *p, queued, said);
		for (uint32_t had = MARK_GOOD; had <= MARK_QUIET; had++) {
			live.ct_mark = mark_make(id, lane, (enum mark_outcome)had);
			expect_judged(a, t, live, queued, said);
		}
	}
	expect_stopped(a, t, "judged by another permit", *p, queued, mark_make(id ^ 0x200000u, 0, MARK_GOOD));
	expect_stopped(a, t, "out of the cut queue", *p, queued, mark_make(0, LANE_CUT, MARK_GOOD));
	/* If the permit changed while a worker had the packet, the packet is queued again, to be
	 * judged by the new permit. */
	again.mark = mark_make(id ^ 0x200000u, 0, MARK_GOOD);
	r = walk_hook(a->r, NF_INET_FORWARD, queued->priority, &again);
	if (!is_lane(a, &r, lane, &again) || mark_permit(again.mark) != id)
		witness_tell(a, t, "judged by an earlier permit", "otherwise", &r);
	stale.ct_mark = mark_make(NO_PERMIT, lane, MARK_GOOD);
	expect_stopped(a, t, "judged by a permit that ended", stale, queued, mark_make(NO_PERMIT, 0, MARK_GOOD));
	stray.state = WALK_INVALID;
	expect_stopped(a, t, "judged, but of no session", stray, queued, mark_make(id, 0, MARK_GOOD));
	expect_unanswered(a, t, "new, unanswered", *p, queued, lane, false);
	live.ct_mark = mark_make(id, lane, MARK_GOOD);
	for (size_t i = 0; i < (p->l4proto == WALK_TCP ? sizeof(flags) : 1); i++) {
		live.tcp_flags = flags[i];
		expect_unanswered(a, t, "live, unanswered", live, queued, lane, true);
	}
}

/* Tests that a packet in the cut queue never passes, whatever verdict comes back. */
static void behind_cut(struct asking *a, const struct tuple *t, struct walk_packet p)
{
	const uint32_t marks[] = { p.ct_mark, mark_make(NO_PERMIT, 0, MARK_GOOD), mark_make(0, LANE_CUT, MARK_GOOD),
				   mark_make(0, LANE_CUT, MARK_UNJUDGED) };
	struct walk_result r = witness_forward(a, &p);

	if (r.end != WALK_QUEUE)
		return;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		expect_stopped(a, t, "permit ended, out of the cut queue", p, &r, marks[i]);
}

/* ---- a session that the policy allows -------------------------------------------------------- */

/* Reports a packet of the session that does not go the right way. This is, if `fast`, through at
 * once; otherwise to the queue of its lane. */
static void expect_way(struct asking *a, const struct tuple *t, const char *kind, struct walk_packet p, uint32_t lane,
		       bool fast)
{
	struct walk_result r = witness_forward(a, &p);

	/* The mark tells a worker the direction of the packet. A packet that is not queued needs no
	 * such mark. */
	if (fast ? r.end == WALK_ACCEPT : is_lane(a, &r, lane, &p) && ((p.mark & MARK_REPLY) != 0) == p.reply)
		return;
	witness_tell(a, t, kind, is_refused(&r) ? "refused" : "otherwise", &r);
}

/* Tests a session whose permit has ended or was narrowed, but which the policy still allows. It
 * must get a new label and go on with that. If a worker inspects it, the outcome must be kept. */
static void expect_relabelled(struct asking *a, const struct tuple *t, struct walk_packet p, uint32_t id, uint32_t lane,
			      enum mark_outcome had)
{
	bool judged = had != MARK_UNJUDGED && lane != LANE_NONE;
	struct walk_packet q = p;
	struct walk_result r;

	expect_way(a, t, p.reply ? "relabelled by an answer" : "relabelled", p, lane, lane == LANE_NONE);
	r = witness_forward(a, &q);
	if (mark_permit(q.ct_mark) != id || mark_lane(q.ct_mark) != lane ||
	    (mark_outcome(q.ct_mark) != MARK_UNJUDGED) != judged)
		witness_tell(a, t, "relabelled as something else", "otherwise", &r);
	p.ct_mark = q.ct_mark;
	expect_way(a, t, "relabelled, and on", p, lane, lane == LANE_NONE);
	/* The packet itself was not judged, even if its session was. */
	if (r.end == WALK_QUEUE)
		expect_unanswered(a, t, "relabelled, unanswered", q, &r, lane, judged);
}

/* Tests that both ends are told of the cut: the packet goes to the cut queue, and its mark has its
 * direction and no permit. */
static void expect_cut(struct asking *a, const struct tuple *t, const char *kind, struct walk_packet p, uint32_t mark)
{
	struct walk_result r = witness_forward(a, &p);

	if (!is_cut(&r) || p.mark != (p.reply ? mark | MARK_REPLY : mark))
		witness_tell(a, t, kind, is_refused(&r) ? "otherwise" : "passes", &r);
}

/* The mark of a normal live session. If no worker sees the session, the mark has no outcome. */
uint32_t witness_live_mark(uint32_t id, uint32_t lane)
{
	return mark_make(id, lane, lane == LANE_NONE ? MARK_UNJUDGED : MARK_GOOD);
}

bool witness_comes_in(const struct ir *ir, uint32_t permit, uint32_t interface, bool reply)
{
	for (uint32_t i = 0; i < ir->n_cells; i++)
		if (ir->cells[i].permit == permit && (reply ? ir->cells[i].oif : ir->cells[i].iif) == interface)
			return true;
	return false;
}

/* Tests a packet of a live session that arrives at a wrong interface, with each output interface:
 * it is dropped, does not cut the session, and does not change its mark. */
static void other_ways_in(struct asking *a, const struct tuple *t, const struct walk_packet *p, uint32_t permit,
			  bool reply)
{
	uint32_t id = a->w->ids[permit], lane = a->w->ir->permits[permit].lane;

	for (uint32_t n = 0; n < a->w->ir->n_interfaces * 4; n++) {
		uint32_t i = n / 4;
		/* Each outcome in turn. */
		uint32_t mark = lane == LANE_NONE ? witness_live_mark(id, lane)
						  : mark_make(id, lane, (enum mark_outcome)(MARK_GOOD + n % 3));
		struct walk_packet q = later_packet(p, reply, mark);
		struct walk_result r;

		if (a->w->interfaces[i] == 0 || witness_comes_in(a->w->ir, permit, i, reply))
			continue;
		if (n & 1)
			q.oif = q.iif;
		if (n & 2)
			q.tcp_flags = TCP_SYN;
		q.iif = a->w->interfaces[i];
		r = witness_forward(a, &q);
		if (r.end != WALK_DROP || q.ct_mark != mark)
			witness_tell(a, t, "live, by a wrong interface", r.end == WALK_ACCEPT ? "passes" : "otherwise",
				     &r);
	}
}

/* Tests a quiet session. Its worker does not need acknowledgements without data: these pass, and
 * everything else is queued. */
static void quiet_session(struct asking *a, const struct tuple *t, const struct walk_packet *p, uint32_t id,
			  uint32_t lane, bool reply)
{
	static const uint8_t words[] = { 5, 8, 11 };
	struct walk_packet quiet = later_packet(p, reply, mark_make(id, lane, MARK_QUIET));

	if (p->l4proto != WALK_TCP) {
		expect_way(a, t, "quiet, not TCP", quiet, lane, false);
		return;
	}
	for (size_t i = 0; i < sizeof(words); i++) {
		struct walk_packet q = quiet;

		q.words = words[i];
		for (uint32_t flags = 0; flags < 64; flags++) {
			q.tcp_flags = (uint8_t)flags;
			expect_way(a, t, "quiet", q, lane, flags == TCP_ACK);
		}
		q.tcp_flags = TCP_ACK;
		q.payload = 1;
		expect_way(a, t, "quiet, and carries a byte", q, lane, false);
	}
}

/* Tests a new session on the ports of a live one: its SYN changes nothing, and its SYN-ACK ends the
 * outcome of the old session. */
static void begun_anew(struct asking *a, const struct tuple *t, const struct walk_packet *p, uint32_t id, uint32_t lane)
{
	for (uint32_t had = MARK_GOOD; had <= MARK_QUIET; had++) {
		uint32_t mark = mark_make(id, lane, (enum mark_outcome)had);
		struct walk_packet q = later_packet(p, false, mark);
		struct walk_result r;

		q.tcp_flags = TCP_SYN;
		expect_way(a, t, "live, a SYN", q, lane, false);
		r = witness_forward(a, &q);
		if (q.ct_mark != mark)
			witness_tell(a, t, "live, changed by a SYN", "otherwise", &r);
		q = later_packet(p, false, mark);
		q.tcp_flags = UINT8_MAX;
		expect_way(a, t, "live, a SYN with all other flags", q, lane, false);
		q = later_packet(p, true, mark);
		q.tcp_flags = TCP_SYN | TCP_ACK;
		expect_way(a, t, "begun anew", q, lane, false);
		r = witness_forward(a, &q);
		if (q.ct_mark != witness_live_mark(id, lane))
			witness_tell(a, t, "begun anew, as the one before", "otherwise", &r);
	}
}

static void live_session(struct asking *a, const struct tuple *t, const struct walk_packet *p, uint32_t permit)
{
	uint32_t id = a->w->ids[permit], lane = a->w->ir->permits[permit].lane;
	static const uint8_t flags[] = { TCP_ACK, TCP_SYN | TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK, 0 };
	size_t n_flags = p->l4proto == WALK_TCP ? sizeof(flags) : 1;
	bool naming = false;
	struct walk_packet q;
	struct lane l;

	if (lane_of(lane, &l))
		naming = l.kind == LANE_NAMING;
	for (int reply = 0; reply < 2; reply++) {
		for (size_t f = 0; f < n_flags; f++) {
			q = later_packet(p, reply != 0, witness_live_mark(id, lane));
			q.tcp_flags = flags[f];
			expect_way(a, t, reply ? "answer" : "live", q, lane, lane == LANE_NONE);
		}
		q = later_packet(p, reply != 0, mark_make(id, lane, MARK_CONFIRMED));
		if (lane != LANE_NONE)
			expect_way(a, t, reply ? "answer, confirmed" : "live, confirmed", q, lane, naming);
		if (lane != LANE_NONE)
			quiet_session(a, t, p, id, lane, reply != 0);
		q = later_packet(p, reply != 0, witness_live_mark(id, lane));
		q.options = true;
		expect_dropped(a, t, "live, options", q);
		other_ways_in(a, t, p, permit, reply != 0);
	}
	for (int reply = 0; reply < 2; reply++)
		for (uint32_t had = MARK_UNJUDGED; had <= MARK_QUIET; had++) {
			q = later_packet(p, reply != 0, mark_make(NO_PERMIT, lane, (enum mark_outcome)had));
			expect_relabelled(a, t, q, id, lane, (enum mark_outcome)had);
			if (p->l4proto != WALK_TCP)
				continue;
			q.tcp_flags = TCP_SYN; /* a chain of its own handles these packets */
			expect_relabelled(a, t, q, id, lane, (enum mark_outcome)had);
		}
	q = later_packet(p, false, witness_live_mark(id, lane));
	q.tcp_flags = TCP_SYN; /* a repeated SYN */
	expect_way(a, t, "live, a SYN", q, lane, lane == LANE_NONE);
	if (lane != LANE_NONE && p->l4proto == WALK_TCP)
		begun_anew(a, t, p, id, lane);
}

static void test_allowed(struct asking *a, const struct tuple *t, const struct ir_cell *cell)
{
	uint32_t id = a->w->ids[cell->permit], lane = a->w->ir->permits[cell->permit].lane;
	struct walk_packet first = witness_packet(a, t), p = first, q;
	struct walk_result r = witness_forward(a, &p);
	bool right = lane == LANE_NONE ? r.end == WALK_ACCEPT : is_lane(a, &r, lane, &p) && mark_permit(p.mark) == id;

	if (!right || mark_permit(p.ct_mark) != id || mark_lane(p.ct_mark) != lane) {
		witness_tell(a, t, "new", is_refused(&r) ? "refused" : "otherwise", &r);
		return;
	}
	if (r.end == WALK_QUEUE)
		behind_queue(a, t, &p, &r, id, lane);
	live_session(a, t, &first, cell->permit);
	q = first;
	q.routed = false;
	if (t->src.family == 6 || t->l4proto == WALK_TCP)
		expect_refused(a, t, "forged source", q);
	q = first;
	q.options = true;
	expect_refused(a, t, "options", q);
	if (t->l4proto != WALK_TCP) {
		q = first;
		q.state = WALK_INVALID;
		expect_dropped(a, t, "no session", q);
		return;
	}
	for (uint32_t flags = 0; flags < 32; flags++) {
		q = first;
		q.tcp_flags = (uint8_t)flags;
		if ((flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) != TCP_SYN)
			expect_refused(a, t, "no SYN", q);
	}
	/* If a conduit connects the two hosts, a TCP packet without a session has to be answered
	 * with a reset, in either direction, unless the packet is a reset itself, or an answer to a
	 * SYN, for which its client may still wait. */
	q = first;
	q.state = WALK_INVALID;
	q.tcp_flags = TCP_ACK;
	expect_cut(a, t, "no session", q, MARK_STRAY);
	q.tcp_flags = TCP_SYN;
	expect_cut(a, t, "no session, a SYN", q, MARK_STRAY);
	q = later_packet(&first, true, 0);
	q.reply = false;
	q.state = WALK_INVALID;
	expect_cut(a, t, "no session, answer", q, MARK_STRAY);
	q.tcp_flags = TCP_SYN | TCP_ACK;
	expect_dropped(a, t, "no session, answer to a SYN", q);
	q.tcp_flags = TCP_RST;
	expect_dropped(a, t, "no session, reset", q);
	q.tcp_flags = TCP_RST | TCP_ACK;
	expect_dropped(a, t, "no session, reset", q);
	q = later_packet(&first, false, witness_live_mark(id, lane));
	q.routed = false;
	q.tcp_flags = TCP_RST | TCP_ACK;
	expect_dropped(a, t, "forged reset", q);
}

/* Tests a datagram of a session whose permit has ended, where the policy allows the other end to
 * open the same session by `cell`: the session's twin. A worker decides under the cell's permit; a
 * cell without a lane lets pass what its client sends. */
static void expect_twin(struct asking *a, const struct tuple *t, const char *kind, struct walk_packet p,
			const struct ir_cell *cell)
{
	uint32_t id = a->w->ids[cell->permit], lane = a->w->ir->permits[cell->permit].lane;
	struct walk_result r = witness_forward(a, &p);

	if (lane == LANE_NONE) {
		if ((p.reply ? WALK_ACCEPT : WALK_DROP) != r.end)
			witness_tell(a, t, kind, p.reply ? "refused" : "passes", &r);
		return;
	}
	if (!is_lane(a, &r, lane, &p) ||
	    p.mark != (mark_make(id, lane, MARK_UNJUDGED) | MARK_TWIN | (p.reply ? 0 : MARK_REPLY))) {
		witness_tell(a, t, kind, is_refused(&r) ? "refused" : "otherwise", &r);
		return;
	}
	expect_stopped(a, t, "its twin, judged by another permit", p, &r, mark_make(id ^ 0x200000u, 0, MARK_GOOD));
}

/* `known`: a packet of this tuple may be an answer in an allowed session. `twin`: the cell by which
 * the other end may send to this session's client; NULL: none, or this is no datagram. */
static void test_refused(struct asking *a, const struct tuple *t, bool known, const struct ir_cell *twin)
{
	struct walk_packet first = witness_packet(a, t), q;

	expect_dropped(a, t, "new", first);
	/* Tests a session whose permit has ended and that no other permit allows. */
	for (int reply = 0; reply < 2; reply++) {
		q = later_packet(&first, reply != 0, mark_make(NO_PERMIT, LANE_NONE, MARK_CONFIRMED));
		if (twin != NULL)
			expect_twin(a, t, reply ? "permit ended, twin's packet" : "permit ended, to its twin", q, twin);
		else if (t->l4proto == WALK_TCP)
			expect_cut(a, t, reply ? "permit ended, answer" : "permit ended", q,
				   mark_make(0, LANE_CUT, MARK_UNJUDGED));
		else
			expect_dropped(a, t, reply ? "permit ended, answer" : "permit ended", q);
		if (t->l4proto == WALK_TCP) {
			q.tcp_flags = TCP_SYN;
			expect_cut(a, t, reply ? "permit ended, a SYN back" : "permit ended, a SYN", q,
				   mark_make(0, LANE_CUT, MARK_UNJUDGED));
			q.tcp_flags = TCP_ACK;
		}
		q.routed = false;
		if (t->src.family == 6 || t->l4proto != WALK_TCP)
			expect_dropped(a, t, "permit ended, forged", q);
		behind_cut(a, t, later_packet(&first, reply != 0, mark_make(NO_PERMIT, LANE_NONE, MARK_GOOD)));
	}
	q = first;
	q.state = WALK_INVALID;
	q.tcp_flags = TCP_ACK;
	/* Hosts that no conduit connects learn nothing, not even that there is no session. */
	if (known)
		expect_refused(a, t, "no session", q);
	else
		expect_dropped(a, t, "no session", q);
	q.mark = MARK_FAST; /* a mark that arrives with a packet never counts */
	expect_refused(a, t, "no session, marked before", q);
	q = first;
	q.mark = MARK_FAST;
	expect_refused(a, t, "marked before", q);
}

static bool is_error(const struct tuple *t)
{
	uint8_t type = (uint8_t)(t->port >> 8);

	if (t->l4proto == 58)
		return type < 128;
	return t->l4proto == 1 && (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

/* What the policy says of a new session now; NULL: nothing allows it. */
static const struct ir_cell *policy_says(const struct asking *a, const struct tuple *t, uint64_t now)
{
	const struct ir *ir = a->w->ir;
	const struct question q = {
		.iif = ir->interfaces[t->in].name,
		.oif = ir->interfaces[t->out].name,
		.source = t->src,
		.destination = t->dst,
		.l4proto = t->l4proto,
		.port = t->port,
		.now = now,
	};

	return evaluate_ir(ir, &q);
}

/* The cell of the clients that may have subscribed to what this tuple sends; NULL: none of them
 * may. It is found by the server's port, or else by the client's. */
static const struct ir_cell *subscribers(const struct asking *a, const struct tuple *t)
{
	struct tuple back = { t->out, t->in, t->dst, t->src, t->l4proto, CLIENT_PORT };
	const struct ir_cell *cell = t->l4proto == WALK_UDP ? policy_says(a, &back, a->w->now) : NULL;

	back.port = t->port;
	if (cell == NULL && t->l4proto == WALK_UDP)
		cell = policy_says(a, &back, a->w->now);
	return cell != NULL && ir_lasting(a->w->ir, cell->permit) ? cell : NULL;
}

/* Tests a datagram that no conduit allows, but to which its receiver may have subscribed. It goes
 * to the subscribers' lane, and passes only if a worker says so. The session gets no label. */
static void noticed(struct asking *a, const struct tuple *t, const struct ir_cell *cell)
{
	uint32_t id = a->w->ids[cell->permit], lane = a->w->ir->permits[cell->permit].lane;
	struct walk_packet p = witness_packet(a, t), q = p;
	struct walk_result r = witness_forward(a, &p);

	if (!is_lane(a, &r, lane, &p) || mark_permit(p.mark) != id || p.ct_mark != 0) {
		witness_tell(a, t, "by a subscription", is_refused(&r) ? "refused" : "otherwise", &r);
		return;
	}
	expect_stopped(a, t, "by a subscription, unanswered", p, &r, p.mark);
	expect_stopped(a, t, "by a subscription, judged by another permit", p, &r,
		       mark_make(id ^ 0x200000u, 0, MARK_GOOD));
	q.routed = false;
	expect_refused(a, t, "by a subscription, forged", q);
	r = resumed(a, &p, &r, mark_make(id, 0, MARK_GOOD));
	if (r.end != WALK_ACCEPT || p.ct_mark != 0)
		witness_tell(a, t, "by a subscription, judged good", "refused", &r);
}

void witness_put(struct asking *a, const struct tuple *t)
{
	const struct tuple back = { t->out, t->in, t->dst, t->src, t->l4proto, CLIENT_PORT };
	uint64_t soon = a->w->now + TIME_NEAR, recently = a->w->now > TIME_NEAR ? a->w->now - TIME_NEAR : 0;
	const struct ir_cell *now;

	if (t->src.family != t->dst.family || a->w->interfaces[t->in] == 0 || a->w->interfaces[t->out] == 0 ||
	    witness_over(a))
		return;
	now = policy_says(a, t, a->w->now);
	if (now != policy_says(a, t, recently) || now != policy_says(a, t, soon))
		return;
	/* ICMP errors begin no session, whatever a conduit says of their types: witness_errors()
	 * tests them. */
	if (now != NULL && is_error(t))
		return;
	if (now != NULL)
		test_allowed(a, t, now);
	else if (subscribers(a, t) != NULL)
		noticed(a, t, subscribers(a, t));
	else if (t->l4proto != WALK_UDP || policy_says(a, &back, recently) == policy_says(a, &back, soon))
		test_refused(a, t, policy_says(a, &back, recently) != NULL || policy_says(a, &back, soon) != NULL,
			     t->l4proto == WALK_UDP ? policy_says(a, &back, a->w->now) : NULL);
	if (a->w->between != NULL)
		a->w->between(a->w->between_ctx, a->w->packets);
}

/* Tests packets of one cell, with the first and the last addresses that the cell and an isolated
 * pair have in common. */
static void ask_isolated(struct asking *a, const struct ir_cell *c, const struct apart_pair *pair,
			 const struct apart *kept)
{
	static const struct {
		uint8_t l4proto;
		enum walk_state state;
		bool reply;
	} kinds[] = { { WALK_TCP, WALK_NEW, false },	     { WALK_TCP, WALK_ESTABLISHED, false },
		      { WALK_TCP, WALK_ESTABLISHED, true },  { WALK_UDP, WALK_NEW, false },
		      { WALK_UDP, WALK_ESTABLISHED, false }, { WALK_UDP, WALK_ESTABLISHED, true } };
	const struct witness *w = a->w;
	struct tuple t = { c->iif, c->oif, { 0 }, { 0 }, 0, c->lo };
	struct addr_range s, d;

	if (w->interfaces[t.in] == 0 || w->interfaces[t.out] == 0 || !addr_range_meet(&c->src, &pair->source, &s) ||
	    !addr_range_meet(&c->dst, &pair->destination, &d))
		return;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const struct ir_cell *says;
		struct walk_packet p;
		uint32_t id = w->ids[c->permit];

		t.src = k % 2 == 0 ? s.lo : s.hi;
		t.dst = k % 2 == 0 ? d.lo : d.hi;
		t.l4proto = kinds[k].l4proto;
		p = witness_packet(a, &t);
		/* only kept pairs need the policy's answer, which takes time to find */
		says = kept->n > 0 ? policy_says(a, &t, w->now) : NULL;
		if (kinds[k].state == WALK_ESTABLISHED)
			p = later_packet(&p, kinds[k].reply, witness_live_mark(id, w->ir->permits[c->permit].lane));
		else if (says != NULL)
			id = w->ids[says->permit];
		/* a session also goes on if the permit is kept that it would get now */
		if (!apart_holds(kept, &t.src, &t.dst, id) &&
		    (says == NULL || !apart_holds(kept, &t.src, &t.dst, w->ids[says->permit])))
			expect_refused(a, &t, "isolated", p);
	}
}

void witness_isolated(struct witness *w, const struct apart *apart, const struct apart *kept, const struct ruleset *r,
		      witness_each *each, void *ctx)
{
	struct asking a = { .w = w,
			    .r = r,
			    .each = each,
			    .ctx = ctx,
			    .deadline = w->limit_ns == 0 ? 0 : clock_mono().ns + w->limit_ns };
	uint32_t n = w->ir->n_cells, first = n > 0 ? (uint32_t)(w->seed % n) : 0;

	/* If there is no time for all pairs, the next look tests others. */
	for (uint32_t i = 0; i < n && apart->n > 0 && !witness_over(&a); i++) {
		for (size_t k = 0; k < apart->n && !witness_over(&a); k++)
			ask_isolated(&a, &w->ir->cells[(first + i) % n], &apart->list[k], kept);
		if (w->between != NULL)
			w->between(w->between_ctx, w->packets);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/netfilter.h>

#include "appliance/enforce/witness.h"
#include "appliance/wire/lane.h"

#define ICMP 1u
#define ICMP6 58u

/* Tests that nobody reaches a port of the box itself, and that the box opens no session. */
static void ports_of_the_box(struct asking *a)
{
	static const uint8_t protocols[] = { WALK_TCP, WALK_UDP, 47, 132 };

	for (uint32_t i = 0; i < a->w->ir->n_interfaces && !witness_over(a); i++)
		for (size_t k = 0; k < 2 * sizeof(protocols); k++) {
			bool six = k >= sizeof(protocols);
			struct addr x = { .family = six ? 6 : 4, .b = { 10, 1, 2, 3 } };
			struct tuple t = { i, i, x, x, protocols[k % sizeof(protocols)], 22 };
			struct walk_packet p = witness_packet(a, &t), q = p;
			struct walk_result r = walk_hook(a->r, NF_INET_PRE_ROUTING, INT32_MIN, &p);

			if (a->w->interfaces[i] == 0)
				continue;
			if (r.end == WALK_ACCEPT)
				r = walk_hook(a->r, NF_INET_LOCAL_IN, INT32_MIN, &p);
			if (r.end != WALK_DROP)
				witness_tell(a, &t, "to the box itself", "passes", &r);
			r = walk_hook(a->r, NF_INET_LOCAL_OUT, INT32_MIN, &q);
			if (r.end != WALK_DROP)
				witness_tell(a, &t, "from the box itself", "passes", &r);
			a->w->packets += 2;
		}
}

/* ---- what the box itself accepts and sends --------------------------------------------------- */

/* `type` is the first byte behind the IP header: the ICMP type, or half a port. */
struct own {
	uint8_t family, l4proto, type, hop_limit;
	enum walk_state state;
	bool routed, options;
	uint32_t mark;
};

static bool is_icmp(const struct own *o)
{
	return o->l4proto == (o->family == 4 ? ICMP : ICMP6);
}

/* Whether this is neighbour discovery from the link itself, which hop limit 255 proves. Messages of
 * and to routers do not count, because the box has its routes from the policy. */
static bool is_discovery(const struct own *o, bool outward)
{
	return o->l4proto == ICMP6 && o->family == 6 && o->hop_limit == 255 &&
	       ((o->type == 133 && !outward) || o->type == 135 || o->type == 136);
}

/* Whether this is multicast group membership (MLD versions 1 and 2), which always has hop limit
 * 1. */
static bool is_about_groups(const struct own *o, bool outward)
{
	if (o->l4proto != ICMP6 || o->family != 6 || o->hop_limit != 1)
		return false;
	return outward ? o->type == 131 || o->type == 132 || o->type == 143 : o->type == 130;
}

/* What the box has to accept: neighbour discovery, group queries, echo requests, and path MTU
 * errors whose source belongs to that interface. */
static bool box_takes(const struct own *o)
{
	if (is_about_groups(o, false))
		return true;
	if (o->options)
		return false;
	if (is_discovery(o, false))
		return true;
	if (!is_icmp(o) || !o->routed)
		return false;
	if (o->type == (o->family == 4 ? 3 : 2))
		return o->state == WALK_RELATED;
	return o->type == (o->family == 4 ? 8 : 128);
}

/* What the box may send: neighbour discovery and group reports; echo replies and errors, if they go
 * to the interface of the packet that they answer, or if that packet was let through. */
static bool box_says(const struct own *o, uint32_t index)
{
	bool four = o->family == 4, echo = o->type == (four ? 0 : 129);
	bool error = four ? o->type == 3 || o->type == 11 || o->type == 12 : o->type >= 1 && o->type <= 4;

	if (is_discovery(o, true) || is_about_groups(o, true))
		return true;
	if (!is_icmp(o) || !(echo ? o->state == WALK_ESTABLISHED : error && o->state == WALK_RELATED))
		return false;
	return o->mark == mark_arrived(index) || o->mark == MARK_FAST || mark_outcome(o->mark) != MARK_UNJUDGED;
}

static void ask_own(struct asking *a, uint32_t interface, const struct own *o, bool outward)
{
	struct addr x = { .family = o->family, .b = { 10, 1, 2, 3 } };
	uint16_t first = (uint16_t)(o->type << 8);
	struct tuple t = { interface, interface, x, x, o->l4proto, is_icmp(o) ? first : 22 };
	struct walk_packet p = witness_packet(a, &t);
	bool passes = outward ? box_says(o, a->w->interfaces[interface]) : box_takes(o);
	struct walk_result r;

	p.sport = first;
	p.dport = o->l4proto == ICMP || o->l4proto == ICMP6 ? first : 22;
	p.tcp_flags = TCP_ACK;
	p.hop_limit = o->hop_limit;
	p.state = o->state;
	p.routed = o->routed;
	p.options = o->options;
	p.mark = o->mark;
	if (outward) {
		p.iif = 0; /* a packet that the box sends has no input interface */
		r = walk_hook(a->r, NF_INET_LOCAL_OUT, INT32_MIN, &p);
	} else {
		r = walk_hook(a->r, NF_INET_PRE_ROUTING, INT32_MIN, &p);
		if (r.end == WALK_ACCEPT)
			r = walk_hook(a->r, NF_INET_LOCAL_IN, INT32_MIN, &p);
	}
	a->w->packets++;
	if ((r.end == WALK_ACCEPT) != passes)
		witness_tell(a, &t, outward ? "from the box itself" : "to the box itself",
			     passes ? "refused" : "passes", &r);
}

/* Asks about the packet in every state, with every mark that the rules know, and with a source of
 * another interface. */
static void ask_own_everywhere(struct asking *a, uint32_t interface, struct own o)
{
	uint32_t index = a->w->interfaces[interface];
	const uint32_t marks[] = { mark_arrived(index),
				   mark_arrived(index + 1),
				   PERMIT_MAX,
				   0,
				   MARK_FAST,
				   MARK_STRAY,
				   mark_make(0, LANE_CUT, MARK_UNJUDGED) };

	for (int state = WALK_NEW; state <= WALK_INVALID; state++) {
		o.state = (enum walk_state)state;
		o.mark = 0;
		for (int forged = 0; forged < 2; forged++) {
			o.routed = forged == 0;
			ask_own(a, interface, &o, false);
		}
		o.routed = true;
		for (size_t m = 0; m < sizeof(marks) / sizeof(marks[0]); m++) {
			o.mark = marks[m];
			ask_own(a, interface, &o, true);
		}
	}
}

/* Asks about every ICMP type that a rule or an RFC treats specially and some others, also with the
 * wrong ICMP version for the family. */
static void own_packets(struct asking *a, uint32_t interface)
{
	static const uint8_t types[] = { 0,   1,   2,	3,   4,	  5,   8,   11,	 12,  13,  127, 128,
					 129, 130, 131, 132, 133, 134, 135, 136, 137, 143, 255 };
	static const uint8_t protocols[] = { ICMP, ICMP6, WALK_TCP, WALK_UDP }, nearer[] = { 254, 2, 1 };
	const size_t n_types = sizeof(types) / sizeof(types[0]), n_protocols = sizeof(protocols) / sizeof(protocols[0]);

	for (size_t n = 0; n < n_types * n_protocols * 2; n++) {
		struct own o = { .family = n % 2 ? 6 : 4,
				 .l4proto = protocols[n / 2 % n_protocols],
				 .type = types[n / 2 / n_protocols],
				 .hop_limit = 255 };

		ask_own_everywhere(a, interface, o);
		/* With IP options, which group queries must have, and without. Packets with other
		 * options are dropped before the rules that look at types. */
		for (size_t h = 0; h < 2 * sizeof(nearer) && o.l4proto == ICMP6; h++) {
			o.hop_limit = nearer[h / 2];
			o.options = h % 2 != 0;
			ask_own_everywhere(a, interface, o);
		}
	}
}

void witness_box(struct asking *a)
{
	ports_of_the_box(a);
	for (uint32_t i = 0; i < a->w->ir->n_interfaces && !witness_over(a); i++) {
		if (a->w->interfaces[i] == 0 || a->w->ir->interfaces[i].admin)
			continue;
		own_packets(a, i);
		if (a->w->between != NULL)
			a->w->between(a->w->between_ctx, a->w->packets);
	}
}

/* Tests that a reset of the gate leaves the box, and that its session is no longer quiet from then
 * on. This is needed because an end answers a reset that has a wrong sequence number with a bare
 * acknowledgement, which no worker gets while the session is quiet. */
static void heard_from_here_on(struct asking *a, const struct tuple *t, uint32_t id, uint32_t lane)
{
	for (uint32_t had = MARK_UNJUDGED; had <= MARK_QUIET; had++) {
		struct walk_packet p = witness_packet(a, t);
		uint32_t then = mark_make(id, lane, had == MARK_QUIET ? MARK_GOOD : (enum mark_outcome)had);
		struct walk_result r;

		p.tcp_flags = TCP_RST;
		p.mark = mark_make(0, lane, MARK_UNJUDGED);
		p.ct_mark = mark_make(id, lane, (enum mark_outcome)had);
		p.state = WALK_ESTABLISHED;
		r = walk_hook(a->r, NF_INET_LOCAL_OUT, INT32_MIN, &p);
		a->w->packets++;
		if (r.end != WALK_ACCEPT)
			witness_tell(a, t, "reset by the gate", "refused", &r);
		else if (p.ct_mark != then)
			witness_tell(a, t, "reset by the gate, remembered as something else", "otherwise", &r);
	}
}

/* Tests that the gate's resets leave the box only in sessions of the gate's lanes and in ended
 * sessions, and that the box sends no other TCP. */
void witness_resets(struct asking *a)
{
	const struct ir *ir = a->w->ir;

	for (uint32_t i = 0; i < ir->n_cells && i < 64 && !witness_over(a); i++) {
		const struct ir_cell *c = &ir->cells[i];
		const struct ir_permit *permit = &ir->permits[c->permit];
		uint32_t lane = permit->lane, id = a->w->ids[c->permit];
		struct tuple t = { c->iif, c->oif, c->src.lo, c->dst.lo, WALK_TCP, 502 };
		const struct {
			uint8_t flags;
			uint32_t mark, ct_mark;
			enum walk_state state;
			bool passes;
		} cases[] = {
			{ TCP_RST | TCP_ACK, mark_make(0, lane, MARK_UNJUDGED), witness_live_mark(id, lane),
			  WALK_ESTABLISHED, true },
			{ TCP_RST, mark_make(0, lane ^ 1u, MARK_UNJUDGED), witness_live_mark(id, lane),
			  WALK_ESTABLISHED, false },
			{ TCP_ACK, mark_make(0, lane, MARK_UNJUDGED), witness_live_mark(id, lane), WALK_ESTABLISHED,
			  false },
			{ TCP_RST | TCP_SYN, mark_make(0, lane, MARK_UNJUDGED), witness_live_mark(id, lane),
			  WALK_ESTABLISHED, false },
			{ TCP_RST | TCP_FIN, mark_make(0, lane, MARK_UNJUDGED), witness_live_mark(id, lane),
			  WALK_ESTABLISHED, false },
			{ TCP_RST, mark_make(0, LANE_CUT, MARK_UNJUDGED), witness_live_mark(id, lane), WALK_ESTABLISHED,
			  false },
			{ TCP_RST, mark_make(0, LANE_CUT, MARK_UNJUDGED), witness_live_mark(NO_PERMIT, lane),
			  WALK_ESTABLISHED, true },
			{ TCP_ACK, mark_make(0, LANE_CUT, MARK_UNJUDGED), witness_live_mark(NO_PERMIT, lane),
			  WALK_ESTABLISHED, false },
			{ TCP_RST | TCP_ACK, mark_make(0, LANE_CUT, MARK_UNJUDGED), witness_live_mark(NO_PERMIT, lane),
			  WALK_ESTABLISHED, true },
			{ TCP_RST | TCP_SYN, mark_make(0, LANE_CUT, MARK_UNJUDGED), witness_live_mark(NO_PERMIT, lane),
			  WALK_ESTABLISHED, false },
			{ TCP_RST | TCP_FIN, mark_make(0, LANE_CUT, MARK_UNJUDGED), witness_live_mark(NO_PERMIT, lane),
			  WALK_ESTABLISHED, false },
			{ TCP_RST, mark_make(0, lane, MARK_UNJUDGED), witness_live_mark(PERMIT_MAX, lane),
			  WALK_ESTABLISHED, true },
			{ TCP_RST, MARK_STRAY, 0, WALK_INVALID, true },
			{ TCP_RST | TCP_ACK, MARK_STRAY, 0, WALK_INVALID, true },
			{ TCP_RST | TCP_SYN, MARK_STRAY, 0, WALK_INVALID, false },
			{ TCP_RST | TCP_FIN, MARK_STRAY, 0, WALK_INVALID, false },
			{ TCP_RST, MARK_STRAY, 0, WALK_NEW, false },
			{ TCP_RST, 0, witness_live_mark(NO_PERMIT, lane), WALK_ESTABLISHED, false },
			{ TCP_RST, 0, 0, WALK_INVALID, false },
			{ TCP_RST, MARK_STRAY, witness_live_mark(id, lane), WALK_ESTABLISHED, false },
			{ TCP_ACK, MARK_STRAY, 0, WALK_INVALID, false },
			{ TCP_RST, 0, witness_live_mark(id, lane), WALK_ESTABLISHED, false },
		};

		if (lane == LANE_NONE || witness_ends_soon(a, permit) || a->w->interfaces[c->oif] == 0)
			continue;
		for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
			struct walk_packet p = witness_packet(a, &t);
			struct walk_result r;

			p.tcp_flags = cases[k].flags;
			p.mark = cases[k].mark;
			p.ct_mark = cases[k].ct_mark;
			p.state = cases[k].state;
			r = walk_hook(a->r, NF_INET_LOCAL_OUT, INT32_MIN, &p);
			a->w->packets++;
			if ((r.end == WALK_ACCEPT) != cases[k].passes)
				witness_tell(a, &t, "reset by the gate", cases[k].passes ? "refused" : "passes", &r);
		}
		heard_from_here_on(a, &t, id, lane);
	}
}

/* Tests the error at each interface where no packet of the session arrives. */
static void error_elsewhere(struct asking *a, const struct tuple *t, struct walk_packet p, uint32_t permit)
{
	struct walk_result r;

	p.routed = true;
	for (uint32_t i = 0; i < a->w->ir->n_interfaces; i++) {
		struct walk_packet q = p;

		if (a->w->interfaces[i] == 0 || witness_comes_in(a->w->ir, permit, i, p.reply))
			continue;
		q.iif = a->w->interfaces[i];
		r = witness_forward(a, &q);
		if (r.end != WALK_DROP)
			witness_tell(a, t, "error, by a wrong interface", "passes", &r);
	}
}

/* Tests that ICMP errors about live sessions pass, except types that nobody needs, and errors that
 * arrive at an interface to which their source does not belong. */
void witness_errors(struct asking *a)
{
	static const struct {
		uint8_t family, l4proto, type;
		bool passes;
	} kinds[] = { { 4, 1, 3, true },  { 4, 1, 11, true },  { 4, 1, 12, true },   { 4, 1, 4, false },
		      { 4, 1, 5, false }, { 6, 58, 1, true },  { 6, 58, 2, true },   { 6, 58, 3, true },
		      { 6, 58, 4, true }, { 6, 58, 0, false }, { 6, 58, 100, false } };

	for (uint32_t c = 0; c < a->w->ir->n_cells && c < 64 && !witness_over(a); c++) {
		const struct ir_cell *cell = &a->w->ir->cells[c];
		const struct ir_permit *permit = &a->w->ir->permits[cell->permit];
		struct tuple t = { cell->oif, cell->iif, cell->dst.lo, cell->src.lo, 0, 0 };

		if (a->w->interfaces[t.in] == 0 || a->w->interfaces[t.out] == 0 || witness_ends_soon(a, permit))
			continue;
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			struct walk_packet p, forged, lapsed;
			struct walk_result r;

			if (kinds[k].family != t.src.family)
				continue;
			t.l4proto = kinds[k].l4proto;
			t.port = (uint16_t)(kinds[k].type << 8);
			p = witness_packet(a, &t);
			p.state = WALK_RELATED;
			p.reply = true;
			p.ct_mark = witness_live_mark(a->w->ids[cell->permit], permit->lane);
			forged = lapsed = p;
			forged.routed = false;
			r = witness_forward(a, &p);
			if ((r.end == WALK_ACCEPT) != kinds[k].passes)
				witness_tell(a, &t, "error", kinds[k].passes ? "refused" : "passes", &r);
			r = witness_forward(a, &forged);
			if (r.end != WALK_DROP)
				witness_tell(a, &t, "error, forged", "passes", &r);
			lapsed.ct_mark = witness_live_mark(NO_PERMIT, permit->lane);
			/* a mark that arrives with a packet never counts */
			lapsed.mark = MARK_FAST;
			error_elsewhere(a, &t, forged, cell->permit);
			r = witness_forward(a, &lapsed);
			if (r.end == WALK_ACCEPT)
				witness_tell(a, &t, "error about what has ended", "passes", &r);
		}
	}
}

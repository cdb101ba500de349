/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/netfilter.h>

#include "appliance/enforce/witness_private.h"
#include "appliance/wire/lane.h"

/* Nobody reaches the box itself, and it opens nothing. */
static void ports_of_the_box(struct asking *a)
{
	static const uint8_t protocols[] = { PROTO_TCP, PROTO_UDP, 47, 132 };

	for (uint32_t i = 0; i < a->w->ir->n_interfaces && !witness_over(a); i++)
		for (size_t k = 0; k < 2 * sizeof(protocols); k++) {
			bool six = k >= sizeof(protocols);
			struct addr x = { .family = six ? 6 : 4, .b = { 10, 1, 2, 3 } };
			struct tuple t = { i, i, x, x, protocols[k % sizeof(protocols)], 22 };
			struct walk_packet p = witness_packet(a, &t), q = p;
			struct walk_result r = walk(a->r, NF_INET_PRE_ROUTING, INT32_MIN, &p);

			if (a->w->interfaces[i] == 0)
				continue;
			if (r.end == WALK_ACCEPT)
				r = walk(a->r, NF_INET_LOCAL_IN, INT32_MIN, &p);
			if (r.end != WALK_DROP)
				witness_tell(a, &t, "to the box itself", "passes", &r);
			r = walk(a->r, NF_INET_LOCAL_OUT, INT32_MIN, &q);
			if (r.end != WALK_DROP)
				witness_tell(a, &t, "from the box itself", "passes", &r);
			a->w->packets += 2;
		}
}

struct own {
	uint8_t family, l4proto, type, hop_limit;
	enum walk_state state;
	bool routed;
	bool passes;
};

static struct walk_packet own_packet(const struct asking *a, uint32_t interface, const struct own *o, struct tuple *t)
{
	struct addr x = { .family = o->family, .b = { 10, 1, 2, 3 } };
	struct walk_packet p;

	*t = (struct tuple){ interface, interface, x, x, o->l4proto, (uint16_t)(o->type << 8) };
	p = witness_packet(a, t);
	p.hop_limit = o->hop_limit;
	p.state = o->state;
	p.routed = o->routed;
	return p;
}

/* What the box takes: neighbour discovery of its own link, echo requests and path errors from where their source is. */
static void taken(struct asking *a, uint32_t interface)
{
	static const struct own kinds[] = {
		{ 6, 58, 133, 255, WALK_NEW, true, true },    { 6, 58, 135, 255, WALK_NEW, true, true },
		{ 6, 58, 136, 255, WALK_NEW, true, true },    { 6, 58, 133, 254, WALK_NEW, true, false },
		{ 6, 58, 135, 254, WALK_NEW, true, false },   { 6, 58, 136, 64, WALK_NEW, true, false },
		{ 6, 58, 134, 255, WALK_NEW, true, false },   { 6, 58, 137, 255, WALK_NEW, true, false },
		{ 6, 58, 128, 64, WALK_NEW, true, true },     { 6, 58, 128, 64, WALK_NEW, false, false },
		{ 4, 1, 8, 64, WALK_NEW, true, true },	      { 4, 1, 8, 64, WALK_NEW, false, false },
		{ 4, 1, 13, 64, WALK_NEW, true, false },      { 4, 1, 3, 64, WALK_RELATED, true, true },
		{ 4, 1, 3, 64, WALK_NEW, true, false },	      { 6, 58, 2, 64, WALK_RELATED, true, true },
		{ 6, 58, 2, 64, WALK_RELATED, false, false }, { 6, 58, 2, 64, WALK_INVALID, true, false },
		{ 6, 58, 139, 64, WALK_NEW, true, false },    { 4, 1, 5, 64, WALK_RELATED, true, false },
	};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct tuple t;
		struct walk_packet p = own_packet(a, interface, &kinds[k], &t);
		struct walk_result r = walk(a->r, NF_INET_PRE_ROUTING, INT32_MIN, &p);

		if (r.end == WALK_ACCEPT)
			r = walk(a->r, NF_INET_LOCAL_IN, INT32_MIN, &p);
		a->w->packets++;
		if ((r.end == WALK_ACCEPT) != kinds[k].passes)
			witness_tell(a, &t, "to the box itself", kinds[k].passes ? "refused" : "passes", &r);
	}
}

/* What the box answers leaves only where the question came in, and only as an answer. */
static void answered(struct asking *a, uint32_t interface)
{
	static const struct own kinds[] = {
		{ 4, 1, 0, 64, WALK_ESTABLISHED, true, true }, { 6, 58, 129, 64, WALK_ESTABLISHED, true, true },
		{ 4, 1, 0, 64, WALK_NEW, true, false },	       { 6, 58, 129, 64, WALK_NEW, true, false },
		{ 4, 1, 3, 64, WALK_RELATED, true, true },     { 4, 1, 11, 64, WALK_RELATED, true, true },
		{ 6, 58, 1, 64, WALK_RELATED, true, true },    { 6, 58, 3, 64, WALK_RELATED, true, true },
		{ 4, 1, 3, 64, WALK_NEW, true, false },	       { 4, 1, 5, 64, WALK_RELATED, true, false },
		{ 4, 1, 8, 64, WALK_NEW, true, false },	       { 6, 58, 128, 64, WALK_NEW, true, false },
		{ 6, 58, 134, 255, WALK_NEW, true, false },    { 6, 58, 137, 255, WALK_NEW, true, false },
	};
	uint32_t index = a->w->interfaces[interface];

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		/* Marked as what came in here; as what came in elsewhere; not at all. */
		const uint32_t marks[] = { mark_arrived(index), mark_arrived(index + 1), 0 };

		for (size_t m = 0; m < 3; m++) {
			struct tuple t;
			struct walk_packet p = own_packet(a, interface, &kinds[k], &t);
			/* The kernel looks up every source of IPv4 before it says anything of it. */
			bool unmarked = m == 2 && kinds[k].family == 4 && kinds[k].state == WALK_RELATED;
			bool passes = kinds[k].passes && (m == 0 || unmarked);
			struct walk_result r;

			p.mark = marks[m];
			r = walk(a->r, NF_INET_LOCAL_OUT, INT32_MIN, &p);
			a->w->packets++;
			if ((r.end == WALK_ACCEPT) != passes)
				witness_tell(a, &t, m == 0 ? "answer of the box" : "answer of the box, elsewhere",
					     passes ? "refused" : "passes", &r);
		}
	}
}

void witness_box(struct asking *a)
{
	ports_of_the_box(a);
	for (uint32_t i = 0; i < a->w->ir->n_interfaces && !witness_over(a); i++) {
		if (a->w->interfaces[i] == 0 || a->w->ir->interfaces[i].admin)
			continue;
		taken(a, i);
		answered(a, i);
	}
}

/* The gate's resets leave the box in sessions of its own lane alone, and for what has ended; nothing else of TCP does. */
void witness_resets(struct asking *a)
{
	const struct ir *ir = a->w->ir;

	for (uint32_t i = 0; i < ir->n_cells && i < 64 && !witness_over(a); i++) {
		const struct ir_cell *c = &ir->cells[i];
		const struct ir_permit *permit = &ir->permits[c->permit];
		uint32_t lane = permit->lane, id = a->w->ids[c->permit];
		struct tuple t = { c->iif, c->oif, c->src.lo, c->dst.lo, PROTO_TCP, 502 };
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
			{ TCP_RST, MARK_STRAY, 0, WALK_INVALID, true },
			{ TCP_RST, MARK_STRAY, witness_live_mark(id, lane), WALK_ESTABLISHED, false },
			{ TCP_ACK, MARK_STRAY, 0, WALK_INVALID, false },
			{ TCP_RST, 0, witness_live_mark(id, lane), WALK_ESTABLISHED, false },
		};

		if (lane == LANE_NONE || permit->until != 0 || a->w->interfaces[c->oif] == 0)
			continue;
		for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
			struct walk_packet p = witness_packet(a, &t);
			struct walk_result r;

			p.tcp_flags = cases[k].flags;
			p.mark = cases[k].mark;
			p.ct_mark = cases[k].ct_mark;
			p.state = cases[k].state;
			r = walk(a->r, NF_INET_LOCAL_OUT, INT32_MIN, &p);
			a->w->packets++;
			if ((r.end == WALK_ACCEPT) != cases[k].passes)
				witness_tell(a, &t, "reset by the gate", cases[k].passes ? "refused" : "passes", &r);
		}
	}
}

/* Errors about live sessions pass, but for those types that nobody needs and those from where their source is not. */
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

		if (a->w->interfaces[t.in] == 0 || a->w->interfaces[t.out] == 0 || permit->until != 0)
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
			r = witness_forward(a, &lapsed);
			if (r.end == WALK_ACCEPT)
				witness_tell(a, &t, "error about what has ended", "passes", &r);
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kernel/rule_box.h"
#include "policy/ir/limits.h"
#include "policy/ir/rules.h"

#include <stdio.h>
#include <stdlib.h>

#define WRONG(what)                                                                                                    \
	do {                                                                                                           \
		fprintf(stderr, "rule box: %s\n", what);                                                               \
		abort();                                                                                               \
	} while (0)

/* The key of a statement. If it cannot be loaded, the rule does not match. */
struct key {
	bool bad;
	uint32_t iif, oif, mark, mark2;
	uint8_t direction, l4proto;
	struct addr src, dst;
	uint16_t port;
};

static bool tracked(const struct box_packet *p)
{
	return p->flow->state != 0 && p->flow->state != CT_INVALID;
}

static struct key key_of(const struct box_packet *p, uint32_t kind)
{
	uint32_t plain = kind & ~KEY_TWIN;
	bool icmp = p->l4proto == 1 || p->l4proto == 58, back = plain == KEY_PACKET_BACK || plain == KEY_ORIGINAL_BACK;
	struct key k = { .iif = back ? p->oif : p->iif, .oif = back ? p->iif : p->oif, .l4proto = p->l4proto };
	const struct box_flow *f = p->flow;

	k.bad = plain != KEY_PACKET && plain != KEY_PACKET_BACK && !tracked(p);
	switch ((enum ir_key)(kind & ~KEY_TWIN)) {
	case KEY_PACKET:
		k.src = p->src;
		k.dst = p->dst;
		k.port = kind & KEY_TWIN ? p->sport : p->dport;
		break;
	case KEY_PACKET_BACK:
		k.src = p->dst;
		k.dst = p->src;
		k.port = icmp || kind & KEY_TWIN ? p->dport : p->sport;
		break;
	case KEY_ORIGINAL:
	case KEY_ORIGINAL_BACK:
		k.src = f->src;
		k.dst = f->dst;
		k.port = f->port;
		break;
	case KEY_AGREE:
		k.mark = p->mark & MARK_PERMIT_MASK;
		k.mark2 = f->mark & MARK_PERMIT_MASK;
		break;
	case KEY_CT_PERMIT:
		k.mark = k.mark2 = f->mark & MARK_PERMIT_MASK;
		break;
	case KEY_ENDS_PERMIT:
		k.mark = (kind & KEY_TWIN ? p->mark : f->mark) & MARK_PERMIT_MASK;
		/* fall through */
	case KEY_ENDS_ANY:
	case KEY_ENDS:
		k.src = kind & KEY_TWIN ? f->dst : f->src;
		k.dst = kind & KEY_TWIN ? f->src : f->dst;
		break;
	case KEY_HOME:
		k.bad = false;
		k.mark = p->mark;
		break;
	case KEY_LIMITED:
		k.mark = (kind & KEY_TWIN ? p->mark : f->mark) & MARK_PERMIT_MASK;
		break;
	case KEY_SESSION:
	case KEY_FAMILY:
	case KEY_PACE_PAIR:
	case KEY_PACE_ZONE:
	case KEY_PACE_LINK:
	case KEY_SHARE_PAIR:
	case KEY_SHARE_ZONE:
		break; /* these tests have nothing in these sets */
	case KEY_RESET:
		k.mark = p->mark & MARK_LANE_MASK;
		k.mark2 = f->mark & MARK_LANE_MASK;
		break;
	}
	return k;
}

static bool holds(const struct ir_element *e, const struct key *k)
{
	switch ((unsigned)e->set) {
	case SET_LIVE:
		return e->iif == k->iif && e->direction == k->direction && e->mark_key == k->mark;
	case SET_AGREE:
	case SET_TOGETHER:
		return e->mark_key == k->mark && e->mark_key == k->mark2;
	case SET_HOME:
		/* the kernel counts from 1 */
		return e->iif == k->oif && k->mark == mark_arrived(e->iif + 1);
	case SET_APART4:
	case SET_APART6:
	case SET_APART4_NEXT:
	case SET_APART6_NEXT:
		return addr_in(&k->src, &e->src) && addr_in(&k->dst, &e->dst);
	case SET_KEPT4:
	case SET_KEPT6:
	case SET_KEPT4_NEXT:
	case SET_KEPT6_NEXT:
		return addr_in(&k->src, &e->src) && addr_in(&k->dst, &e->dst) && e->mark_key == k->mark;
	case SET_RESETS:
	case SET_LIMITED:
		return e->mark_key == k->mark && e->mark_key2 == k->mark2;
	default:
		break;
	}
	return e->iif == k->iif && e->oif == k->oif && addr_in(&k->src, &e->src) && addr_in(&k->dst, &e->dst) &&
	       e->l4proto == k->l4proto && k->port >= e->lo && k->port <= e->hi;
}

/* Whether some traffic of this family is isolated: as enforce fills SET_PARTED. */
static bool parted(const struct box_rules *b, uint8_t family)
{
	for (size_t i = 0; i < b->n_elements; i++)
		if (ir_set_apart(b->elements[i].set) && b->elements[i].src.lo.family == family)
			return true;
	return false;
}

/* The first element that fits the key. The kernel's sets never have two elements that one key could
 * find. */
static const struct ir_element *find(const struct box_rules *b, enum ir_set set, const struct key *k)
{
	const struct ir_element *found = NULL;

	for (size_t i = 0; i < b->n_elements && !k->bad; i++) {
		const struct ir_element *e = &b->elements[i];

		if (e->set != set || (e->until != 0 && b->now >= e->until) || !holds(e, k))
			continue;
		if (found != NULL)
			WRONG("two elements for one key");
		found = e;
	}
	return found;
}

struct run {
	const struct box_rules *b;
	struct box_packet *p;
	struct box_result r;
	bool done;
	int next; /* the chain to go to, -1 = none */
};

static bool end(struct run *x, enum box_verdict v)
{
	x->r.verdict = v;
	x->done = true;
	return false;
}

static bool go(struct run *x, enum ir_chain c)
{
	x->next = (int)c;
	return false;
}

static bool go_lane(struct run *x)
{
	uint32_t mark = x->p->mark & (MARK_FAST | MARK_LANE_MASK), lane = mark_lane(mark);

	if (mark == MARK_FAST)
		return end(x, BOX_ACCEPT);
	if (lane != 0 && (x->b->lanes >> lane & 1))
		return go(x, (enum ir_chain)(CHAIN_LANE_FIRST + lane));
	return true;
}

static bool go_unanswered(struct run *x)
{
	uint32_t n = mark_lane(x->p->mark);
	struct lane l;

	if (!(x->b->lanes >> n & 1) || !lane_of(n, &l) || lane_unanswered(l) == FAIL_CLOSED)
		return true;
	return go(x, lane_unanswered(l) == FAIL_HOLD ? CHAIN_HOLD : CHAIN_OPEN);
}

static bool go_outcome(struct run *x)
{
	switch (mark_outcome(x->p->mark)) {
	case MARK_GOOD:
		return go(x, CHAIN_JUDGED_GOOD);
	case MARK_QUIET:
		return go(x, CHAIN_JUDGED_QUIET);
	case MARK_CONFIRMED:
		return go(x, CHAIN_JUDGED_CONFIRMED);
	case MARK_UNJUDGED:
		return go(x, CHAIN_UNANSWERED);
	default:
		return true;
	}
}

static bool within(const struct run *x, enum ir_set set)
{
	return x->p->flow->ends[set == SET_IDLES] > x->b->now;
}

/* Runs one statement. True: the rule goes on. */
static bool step(struct run *x, const struct ir_stmt *s)
{
	struct box_packet *p = x->p;
	const struct ir_element *e;
	struct key k;

	switch (s->kind) {
	case IR_CT_STATE:
		return (p->flow->state & s->a) != 0;
	case IR_FAMILY:
		return p->src.family == s->a;
	case IR_L4PROTO:
		return p->l4proto == s->a;
	case IR_ICMP_TYPE:
		return (uint32_t)p->dport >> 8 == s->a;
	case IR_ICMP_BELOW:
		return (uint32_t)p->dport >> 8 < s->a;
	case IR_HOPLIMIT:
		return p->hop_limit == s->a;
	case IR_IP_OPTIONS:
		return p->options;
	case IR_PLAIN:
		return p->src.family == s->a && p->l4proto == s->b && !p->options;
	case IR_UNROUTED:
		return p->unrouted;
	case IR_TCP_FLAGS:
		return (p->tcp_flags & s->a) == s->b;
	case IR_TCP_OPTION:
		return p->tcp_options > 0;
	case IR_TCP_STRIP:
		p->tcp_options = (uint8_t)(p->tcp_options > 0 ? p->tcp_options - 1 : 0);
		return true;
	case IR_CT_DIRECTION:
		return tracked(p) && p->direction == s->a;
	case IR_MARK:
		return (p->mark & s->a) == s->b;
	case IR_MARK_NOT:
		return (p->mark & s->a) != s->b;
	case IR_CTMARK:
		return tracked(p) && (p->flow->mark & s->a) == s->b;
	case IR_TCP_BARE:
		return p->src.family == s->a && !p->loaded && s->b == 5;
	case IR_ONCE:
		return false;
	case IR_CTMARK_NOT:
		return tracked(p) && (p->flow->mark & s->a) != s->b;
	case IR_LIMIT:
		return true;
	case IR_PACE:
		return s->set == SET_PACE_LINK ? !x->b->asked : s->set != SET_PACE_MANY ? !x->b->fast : !x->b->flooded;
	case IR_CROWD:
		return s->set == SET_SHARE_ZONE ? x->b->full : x->b->greedy;
	case IR_IN_SET:
	case IR_KNOWN:
		if (s->set == SET_SWITCH)
			return x->b->switched;
		if (s->set == SET_PARTED)
			return parted(x->b, p->src.family);
		k = key_of(p, s->a);
		k.mark2 = (s->a & ~KEY_TWIN) == KEY_LIMITED ? s->b : k.mark2;
		return find(x->b, s->set, &k) != NULL;
	case IR_NOT_IN_SET:
		if (s->set == SET_PARTED)
			return !parted(x->b, p->src.family);
		if (s->set == SET_AGES || s->set == SET_IDLES)
			return tracked(p) && !within(x, s->set);
		k = key_of(p, s->a);
		return !k.bad && find(x->b, s->set, &k) == NULL;
	case IR_LIVE:
		k = (struct key){ .bad = !tracked(p),
				  .iif = p->iif,
				  .direction = p->direction,
				  .mark = p->flow->mark & ~MARK_OUTCOME_MASK };
		e = find(x->b, SET_LIVE, &k);
		if (e == NULL)
			return false;
		p->mark = e->data;
		return s->a == 0 || e->data == s->a;
	case IR_TWIN:
	case IR_TWIN_AGREES:
		k = key_of(p, s->a);
		e = find(x->b, s->set, &k);
		if (e == NULL)
			return false;
		if (s->kind == IR_TWIN) {
			p->mark = e->data & ~MARK_LIMITS;
			return true;
		}
		k = (struct key){ .mark = e->data & MARK_PERMIT_MASK, .mark2 = p->mark & MARK_PERMIT_MASK };
		return find(x->b, SET_AGREE, &k) != NULL;
	case IR_ADMIT:
		k = key_of(p, s->a);
		e = find(x->b, s->set, &k);
		if (e != NULL)
			p->flow->mark = e->data;
		return e != NULL;
	case IR_KEEP:
		if (x->b->crowded && !within(x, s->set))
			return false;
		if (s->set == SET_IDLES || !within(x, s->set))
			p->flow->ends[s->set == SET_IDLES] = x->b->now + (s->b & IR_LIMIT_S);
		return true;
	case IR_SET_MARK:
		p->mark = s->a;
		return true;
	case IR_ADD_MARK:
		p->mark |= s->a;
		return true;
	case IR_ARRIVED:
		p->mark = mark_arrived(p->iif + 1);
		return true;
	case IR_COPY_MARK:
		p->mark = p->flow->mark & ~s->a;
		return true;
	case IR_SET_OUTCOME:
		p->flow->mark = (p->flow->mark & ~MARK_OUTCOME_MASK) | s->a;
		return true;
	case IR_FORGET:
		p->flow->mark &= ~s->a;
		return true;
	case IR_COUNT:
		x->r.reason = (enum reason)s->a;
		return true;
	case IR_LOG:
		return true;
	case IR_ACCEPT:
		return end(x, BOX_ACCEPT);
	case IR_DROP:
		return end(x, BOX_DROP);
	case IR_GOTO:
		return go(x, (enum ir_chain)s->a);
	case IR_GOTO_LANE:
		return go_lane(x);
	case IR_GOTO_OUTCOME:
		return go_outcome(x);
	case IR_GOTO_UNANSWERED:
		return go_unanswered(x);
	case IR_QUEUE:
		x->r.lane = s->a;
		x->r.bypass = s->b != 0;
		x->r.together = s->c != 0;
		return end(x, BOX_QUEUE);
	}
	WRONG("unknown statement");
}

struct box_result box_run(const struct box_rules *b, enum ir_chain chain, struct box_packet *p)
{
	struct run x = { .b = b, .p = p, .r = { .verdict = BOX_DROP } };

	for (int hops = 0; hops < 10; hops++) {
		x.next = -1;
		for (size_t i = 0; i < b->n_rules && !x.done && x.next < 0; i++)
			if (b->rules[i].chain == chain)
				for (uint32_t s = 0; s < b->rules[i].n; s++)
					if (!step(&x, &b->rules[i].stmts[s]))
						break;
		if (x.done || x.next < 0)
			/* the end of a chain that was reached by goto: the policy of the base
			 * chain, drop */
			return x.r;
		chain = (enum ir_chain)x.next;
	}
	WRONG("chains go round in circles");
}

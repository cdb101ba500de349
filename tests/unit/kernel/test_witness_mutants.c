/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: policy/ir/evaluate.c
 * LINK: $(COMPILER_PARTS) policy/ir/elements.c policy/ir/skeleton/%.c policy/ir/names.c
 * LINK: appliance/enforce/witness_box.c appliance/enforce/witness.c
 * LINK: appliance/enforce/witness_edges.c
 * LINK: appliance/enforce/walk.c appliance/enforce/expect.c appliance/kernel/ruleset.c
 * LINK: appliance/kernel/image.c
 * LINK: appliance/kernel/batch.c appliance/kernel/rule.c appliance/kernel/expr.c
 * LINK: appliance/kernel/apart.c appliance/kernel/talk.c appliance/base/clock.c
 * LINK: appliance/wire/reason.c
 * LIBS: libnftnl libmnl nettle
 */
/*
 * The witness must notice every change of the kernel's rules that changes what happens to some
 * packet. For a change that it does not notice, random packets are sent through the old and the new
 * rules. If one of them is treated differently, the witness should have asked about it. MUTANTS=all
 * tries every change of every expression once, MUTANTS=50 tries 50 of them.
 */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "appliance/enforce/witness.h"
#include "appliance/wire/lane.h"
#include "tests/unit/kernel/loaded.h"

#define DRAWS 250u   /* changes */
#define SHOTS 20000u /* packets for each change that was not noticed */
#define NO_PERMIT 0x3ffff0u
#define SYN 2u

/* Expressions that decide nothing: a change of these is noticed when the texts are compared. */
static bool only_records(const struct rule_read *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->ops[i].kind == OP_VERDICT || r->ops[i].kind == OP_QUEUE || r->ops[i].kind == OP_META_SET ||
		    r->ops[i].kind == OP_CT_SET || (r->ops[i].kind == OP_LOOKUP && r->ops[i].to == VERDICT_REGISTER))
			return false;
	return true;
}

/* ---- changes --------------------------------------------------------------------------------- */

struct mutant {
	const char *kind, *chain;
	size_t rule, op;
};

static void flip(uint8_t *p, uint32_t len, unsigned r)
{
	if (len > 0)
		p[r / 8 % len] ^= (uint8_t)(1u << r % 8);
}

/* Changes one expression; NULL if this kind has nothing to change. */
static const char *mutate_op(struct op *o, unsigned r)
{
	switch (o->kind) {
	case OP_CMP:
		if (r % 3 == 0) {
			o->key = o->key == NFT_CMP_EQ ? NFT_CMP_NEQ : NFT_CMP_EQ;
			return "comparison turned round";
		}
		flip(o->data, o->len, r / 3);
		return "compared with something else";
	case OP_BITWISE:
		flip(r % 2 ? o->mask : o->data, o->len, r / 2);
		return "other bits";
	case OP_LOOKUP:
		o->inverted = !o->inverted;
		return "lookup turned round";
	case OP_VERDICT:
		o->verdict = o->verdict == NF_DROP ? NF_ACCEPT : NF_DROP;
		return "another verdict";
	case OP_PAYLOAD:
		o->offset += 1;
		return "another place in the packet";
	case OP_QUEUE:
		if (r % 2)
			o->bypass = !o->bypass;
		else
			o->queue += 8;
		return "another queue";
	case OP_VALUE:
		flip(o->data, o->len, r);
		return "another value";
	case OP_META:
		o->key = o->key == NFT_META_IIF ? NFT_META_OIF : NFT_META_IIF;
		return "another property of the packet";
	case OP_CT:
		o->key = o->key == NFT_CT_MARK ? NFT_CT_STATE : NFT_CT_MARK;
		return "another property of the session";
	case OP_UNKNOWN:
	case OP_META_SET:
	case OP_CT_SET:
	case OP_FIB:
	case OP_PASS:
	case OP_CROWD:
		break;
	}
	return NULL;
}

/* Rules that only work when a limit is reached; the packets ask about a box below its limits. */
static bool only_limits(const char *chain)
{
	static const char *const names[] = { "pace", "again", "taken", "share", "full_pair", "full_zone" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(chain, names[i]) == 0)
			return true;
	return false;
}

/* Makes a change: rule `n` of a chain removed (`o` 0), or one of its expressions removed (o % 3 ==
 * 1) or changed. False when there is nothing to change. */
static bool make_mutant(struct ruleset *rules, size_t chain, size_t n, size_t o, unsigned *seed, struct mutant *m)
{
	struct chain_read *c = &rules->chains[chain];
	struct rule_read *r = &c->rules[n];
	struct op *op;

	*m = (struct mutant){ "", c->name, n, o == 0 ? 0 : (o - 1) / 3 };
	if (n >= c->n || r->n == 0 || only_records(r) || only_limits(c->name))
		return false;
	if (o == 0) {
		m->kind = "rule deleted";
		memmove(r, r + 1, (c->n - n - 1) * sizeof(*r));
		c->n--;
		return true;
	}
	op = &r->ops[m->op];
	if (o % 3 != 1) {
		m->kind = mutate_op(op, (unsigned)rand_r(seed));
		return m->kind != NULL;
	}
	if (op->kind == OP_PASS || op->kind == OP_CROWD)
		return false;
	m->kind = "expression deleted";
	memmove(op, op + 1, (r->n - m->op - 1) * sizeof(*op));
	r->n--;
	return true;
}

static bool draw_mutant(struct ruleset *rules, unsigned *seed, struct mutant *m)
{
	size_t c = (size_t)rand_r(seed) % rules->n_chains, n, ops;

	if (rules->chains[c].n == 0)
		return false;
	n = (size_t)rand_r(seed) % rules->chains[c].n;
	ops = rules->chains[c].rules[n].n;
	return make_mutant(rules, c, n, (size_t)rand_r(seed) % (3 * ops + 1), seed, m);
}

/* ---- packets --------------------------------------------------------------------------------- */

enum way { FORWARDED, TO_THE_BOX, FROM_THE_BOX };
/* The verdict that a queued packet gets. */
enum answer { GOOD, CONFIRMED, NONE, OF_ANOTHER_PERMIT, SENSELESS, OF_AN_ENDED_PERMIT, ANSWERS };

struct shot {
	struct walk_packet p;
	enum way way;
	enum answer answer;
};

static unsigned pick(unsigned *seed, unsigned n)
{
	return (unsigned)rand_r(seed) % n;
}

#define ANY_OF(seed, list) ((list)[pick(seed, sizeof(list) / sizeof((list)[0]))])

static void turn_round(struct walk_packet *p)
{
	struct walk_packet q = *p;

	p->reply = true;
	p->iif = q.oif;
	p->oif = q.iif;
	p->src = q.dst;
	p->dst = q.src;
	p->sport = q.dport;
	p->dport = q.sport;
}

/* A packet that connection tracking knows: of a session that a permit allows, or once allowed. An
 * ICMP error has types of its own. */
static void of_a_session(const struct loaded *l, unsigned *seed, const struct ir_cell *c, struct walk_packet *p)
{
	static const uint8_t errors4[] = { 3, 4, 5, 11, 12 }, errors6[] = { 0, 1, 2, 3, 4, 100 };
	const struct ir *ir = l->k.c.ir;
	uint32_t id = pick(seed, 4) != 0 ? l->ids[c->permit] : NO_PERMIT, lane = ir->permits[c->permit].lane;

	if (id == NO_PERMIT && pick(seed, 2))
		lane = ir->permits[pick(seed, ir->n_permits)].lane;
	p->ct_mark = mark_make(id, lane, lane == LANE_NONE ? MARK_UNJUDGED : (enum mark_outcome)pick(seed, 3));
	if (pick(seed, 2))
		turn_round(p);
	if (p->state == WALK_RELATED) {
		p->l4proto = p->src.family == 4 ? 1 : 58;
		p->dport = (uint16_t)((p->src.family == 4 ? ANY_OF(seed, errors4) : ANY_OF(seed, errors6)) << 8);
	}
}

static void of_the_box(const struct loaded *l, unsigned *seed, struct shot *x)
{
	static const uint8_t types4[] = { 0, 3, 8, 11, 12, 13 },
			     types6[] = { 1, 2, 3, 4, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 143 };
	struct walk_packet *p = &x->p;
	const uint32_t marks[] = { 0,
				   MARK_FAST,
				   MARK_STRAY,
				   mark_make(0, LANE_CUT, MARK_UNJUDGED),
				   mark_make(0, mark_lane(p->ct_mark), MARK_UNJUDGED),
				   mark_arrived(p->oif),
				   mark_arrived(p->oif + 2) };

	(void)l;
	if (pick(seed, 2)) {
		p->l4proto = p->src.family == 4 ? 1 : 58;
		p->dport = (uint16_t)((p->src.family == 4 ? ANY_OF(seed, types4) : ANY_OF(seed, types6)) << 8);
	}
	if (x->way == FROM_THE_BOX) {
		p->mark = ANY_OF(seed, marks);
		p->iif = 0; /* the packet came in at no interface */
	}
}

static struct shot draw_shot(const struct loaded *l, unsigned *seed)
{
	static const uint8_t flags[] = { SYN, SYN, 16, 16, 16, 18, 4, 20, 1, 17, 0, 6, 3 };
	const struct ir *ir = l->k.c.ir;
	const struct ir_cell *c = &ir->cells[pick(seed, ir->n_cells)];
	bool ports = c->l4proto != 1 && c->l4proto != 58;
	struct shot x = { .way = pick(seed, 10) < 7 ? FORWARDED : 1 + pick(seed, 2),
			  .answer = (enum answer)pick(seed, ANSWERS) };
	struct walk_packet *p = &x.p;

	*p = (struct walk_packet){
		.iif = l->indexes[c->iif],
		.oif = l->indexes[c->oif],
		.src = pick(seed, 2) ? c->src.lo : c->src.hi,
		.dst = pick(seed, 2) ? c->dst.lo : c->dst.hi,
		.l4proto = c->l4proto,
		.sport = ports ? 40000 : 0,
		.dport = pick(seed, 2) ? c->lo : c->hi,
		.tcp_flags = ANY_OF(seed, flags),
		.hop_limit = pick(seed, 4)   ? 63
			     : pick(seed, 3) ? 255
					     : 1,
		.options = pick(seed, 12) == 0,
		.routed = true,
		.state = (enum walk_state)pick(seed, 4),
	};
	p->first_src = p->src;
	p->first_dst = p->dst;
	p->first_port = p->dport;
	if (p->state == WALK_ESTABLISHED || p->state == WALK_RELATED)
		of_a_session(l, seed, c, p);
	else if (pick(seed, 4) == 0)
		p->first_port = p->dport = (uint16_t)pick(seed, 65536);
	/* Packets in the middle of a session need no check of their source: a stricter rule refuses
	 * nobody. */
	if (p->state == WALK_NEW || p->state == WALK_RELATED)
		p->routed = pick(seed, 6) != 0;
	if (pick(seed, 8) == 0)
		p->iif = l->indexes[pick(seed, ir->n_interfaces)];
	if (pick(seed, 8) == 0)
		p->oif = l->indexes[pick(seed, ir->n_interfaces)];
	if (x.way != FORWARDED)
		of_the_box(l, seed, &x);
	else if (pick(seed, 6) == 0)
		p->mark = MARK_FAST;
	return x;
}

struct fate {
	struct walk_result queued, end;
	/* the marks of the packet and of its session when it was queued */
	uint32_t queued_mark, ct_mark;
};

static void answer(struct walk_packet *p, enum answer a)
{
	uint32_t id = mark_permit(p->mark);

	switch (a) {
	case GOOD:
	case CONFIRMED:
		p->mark = mark_make(id, 0, a == GOOD ? MARK_GOOD : MARK_CONFIRMED);
		break;
	case OF_ANOTHER_PERMIT:
		p->mark = mark_make(id ^ 0x200000u, 0, MARK_GOOD);
		break;
	case SENSELESS:
		p->mark = mark_make(id, 0, (enum mark_outcome)3);
		break;
	case OF_AN_ENDED_PERMIT:
		p->mark = mark_make(NO_PERMIT, 0, MARK_GOOD);
		p->ct_mark = mark_make(NO_PERMIT, mark_lane(p->ct_mark), (enum mark_outcome)mark_outcome(p->ct_mark));
		break;
	case NONE:
	case ANSWERS:
		break;
	}
}

static struct fate fate_of(const struct ruleset *r, const struct shot *x)
{
	struct walk_packet p = x->p;
	struct fate f = { .end = { .end = WALK_ACCEPT } };

	if (x->way == FROM_THE_BOX) {
		f.end = walk_hook(r, NF_INET_LOCAL_OUT, INT32_MIN, &p);
		return f;
	}
	f.end = walk_hook(r, NF_INET_PRE_ROUTING, INT32_MIN, &p);
	if (f.end.end == WALK_ACCEPT)
		f.end = walk_hook(r, x->way == TO_THE_BOX ? NF_INET_LOCAL_IN : NF_INET_FORWARD, INT32_MIN, &p);
	for (int i = 0; i < 2 && f.end.end == WALK_QUEUE; i++) {
		if (i == 0) {
			f.queued = f.end;
			f.queued_mark = p.mark;
		}
		answer(&p, x->answer);
		f.end = walk_hook(r, NF_INET_FORWARD, f.end.priority, &p);
	}
	if (f.end.end == WALK_ACCEPT && x->way == FORWARDED && p.state != WALK_INVALID)
		f.ct_mark = p.ct_mark;
	return f;
}

static bool fares_otherwise(const struct fate *a, const struct fate *b)
{
	return a->end.end != b->end.end || a->queued_mark != b->queued_mark || a->ct_mark != b->ct_mark ||
	       a->queued.queue != b->queued.queue || a->queued.queues != b->queued.queues ||
	       a->queued.bypass != b->queued.bypass;
}

/* Finds a packet that the present rules treat differently. */
static bool find_shot(const struct loaded *good, const struct loaded *bad, unsigned *seed, char *text, size_t size)
{
	for (unsigned i = 0; i < SHOTS; i++) {
		struct shot x = draw_shot(good, seed);
		struct fate was = fate_of(&good->rules, &x), is = fate_of(&bad->rules, &x);

		if (!fares_otherwise(&was, &is))
			continue;
		snprintf(text, size,
			 "way %d, family %u, protocol %u, ports %u %u, flags %x, state %d%s, mark %x, session %x, "
			 "answer %d%s%s: "
			 "%d in %s, now %d in %s",
			 x.way, x.p.src.family, x.p.l4proto, x.p.sport, x.p.dport, x.p.tcp_flags, x.p.state,
			 x.p.reply ? " reply" : "", x.p.mark, x.p.ct_mark, x.answer, x.p.routed ? "" : ", forged",
			 x.p.options ? ", options" : "", was.end.end, was.end.chain ? was.end.chain : "-", is.end.end,
			 is.end.chain ? is.end.chain : "-");
		return true;
	}
	return false;
}

/* ---- the test -------------------------------------------------------------------------------- */

static void open_site(struct loaded *l)
{
	struct model_maker *k = &l->k;

	memset(l, 0, sizeof(*l));
	maker_init(k);
	every_lane(k);
	/* All transports in both families. */
	maker_conduit(k, "names", &k->m.zones[0], &k->m.zones[1], "", "",
		      maker_service(k, "names", PROTO_DNS, "udp/53 tcp/53"));
	maker_conduit(k, "plain", &k->m.zones[0], &k->m.zones[1], "", "",
		      maker_service(k, "plain", WALK_UDP, "udp/9000"));
	assert_true(maker_lower(k));
	loaded_open(l, LACKS_NOTHING);
}

struct tally {
	unsigned tried, noticed, same;
};

static void one_mutant(const struct loaded *good, struct loaded *bad, const struct mutant *m, unsigned *seed,
		       struct tally *n)
{
	struct told t;
	char text[400];

	n->tried++;
	if (ask(bad, &t) > 0) {
		n->noticed++;
	} else if (find_shot(good, bad, seed, text, sizeof(text))) {
		print_message("not noticed: %s, chain %s, rule %zu, expression %zu: %s\n", m->kind, m->chain, m->rule,
			      m->op, text);
	} else {
		n->same++;
	}
}

static void changed_rules_are_noticed(void **state)
{
	static struct loaded good, bad;
	const char *how_many = getenv("MUTANTS");
	bool all = how_many != NULL && strcmp(how_many, "all") == 0;
	unsigned long draws = how_many != NULL && !all ? strtoul(how_many, NULL, 10) : DRAWS;
	/* The same changes each time, so that a build does not depend on luck; SEED draws
	 * others. */
	unsigned seed = getenv("SEED") != NULL ? seed_of() : 1;
	struct tally n = { 0 };

	(void)state;
	open_site(&good);
	for (size_t c = 0, r = 0, o = 0, i = 0; all ? c < good.rules.n_chains : i < draws; i++) {
		struct mutant m;
		size_t n_ops;

		open_site(&bad);
		if (!all ? draw_mutant(&bad.rules, &seed, &m) : make_mutant(&bad.rules, c, r, o, &seed, &m))
			one_mutant(&good, &bad, &m, &seed, &n);
		loaded_close(&bad);
		if (!all)
			continue;
		/* A rule removed, then each of its expressions in three ways. */
		n_ops = good.rules.chains[c].n > r ? good.rules.chains[c].rules[r].n : 0;
		if (++o > 3 * n_ops) {
			o = 0;
			if (++r >= good.rules.chains[c].n) {
				r = 0;
				c++;
			}
		}
	}
	loaded_close(&good);
	print_message("%u mutants: %u noticed, %u change nothing that a packet shows\n", n.tried, n.noticed, n.same);
	assert_true(n.tried > (all ? 80 : draws / 4));
	assert_int_equal(n.noticed + n.same, n.tried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changed_rules_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the expected kernel image of a generation: the elements of the IR in the kernel's byte
 * layout, and enforce's own sets. Interface positions become kernel indexes here. An element whose
 * interface is missing is left out, so its traffic is denied until the interface appears.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "appliance/enforce/expect.h"
#include "appliance/kernel/image.h"
#include "appliance/wire/mark.h"
#include "policy/ir/elements.h"
#include "policy/ir/lasting.h"

static void put32(uint8_t *p, uint32_t host)
{
	memcpy(p, &host, sizeof(host));
}

/* False when the element's interface does not exist now. */
static bool resolve(const struct expectation *x, uint32_t interface, uint32_t *ret)
{
	if (interface >= x->ir->n_interfaces)
		return false;
	*ret = x->interfaces[interface];
	return *ret != 0;
}

static void cell_key(const struct ir_element *el, uint32_t iif, uint32_t oif, bool end, uint8_t *key)
{
	const struct addr *src = end ? &el->src.hi : &el->src.lo, *dst = end ? &el->dst.hi : &el->dst.lo;
	size_t n = addr_len(src->family);
	uint16_t port = htons(end ? el->hi : el->lo);

	memcpy(key, src->b, n);
	memcpy(key + n, dst->b, n);
	key[2 * n] = el->l4proto;
	memcpy(key + 2 * n + 4, &port, sizeof(port));
	put32(key + 2 * n + 8, iif);
	put32(key + 2 * n + 12, oif);
}

/* 0; -EINVAL for an element that no compiler makes. Lack of memory is noted in the arena. */
static int add_element(struct image *i, const struct expectation *x, const struct ir_element *el)
{
	struct image_element *e;
	uint32_t iif = 0, oif = 0;
	uint8_t family;

	/* An element that has ended, or whose interface is missing, is left out. */
	if (el->until != 0 && el->until <= x->now)
		return 0;
	if (el->set == SET_LIVE || el->set == SET_HOME) {
		if (!resolve(x, el->iif, &iif))
			return 0;
	} else if (ir_set_cells(el->set)) {
		family = ir_set_six(el->set) ? 6 : 4;
		if (el->src.lo.family != family || el->src.hi.family != family || el->dst.lo.family != family ||
		    el->dst.hi.family != family)
			return -EINVAL;
		if (!resolve(x, el->iif, &iif) || !resolve(x, el->oif, &oif))
			return 0;
	} else if (!ir_set_label(el->set) && el->set != SET_RESETS) {
		return -EINVAL;
	}
	e = image_add(i, el->set);
	if (e == NULL)
		return 0;
	e->data = el->data;
	e->until = el->until;
	e->line = el->line;
	if (el->set == SET_LIVE) {
		put32(e->key, iif);
		e->key[4] = el->direction;
		put32(e->key + 8, el->mark_key);
	} else if (el->set == SET_AGREE || el->set == SET_TOGETHER) {
		put32(e->key, el->mark_key);
		put32(e->key + 4, el->mark_key);
	} else if (el->set == SET_HOME) {
		put32(e->key, iif);
		put32(e->key + 4, mark_arrived(iif));
	} else if (el->set == SET_RESETS || el->set == SET_LIMITED) {
		put32(e->key, el->mark_key);
		put32(e->key + 4, el->mark_key2);
	} else {
		cell_key(el, iif, oif, false, e->key);
		cell_key(el, iif, oif, true, e->key_end);
		return 0;
	}
	memcpy(e->key_end, e->key, sizeof(e->key));
	return 0;
}

static void add_verdict(struct image *i, unsigned set, uint32_t key, enum image_verdict v, uint32_t chain)
{
	struct image_element *e = image_add(i, set);

	if (e == NULL)
		return;
	put32(e->key, key);
	put32(e->key_end, key);
	e->verdict = (uint8_t)v;
	e->chain = (uint8_t)chain;
}

/* Adds the elements of the verdict maps: which bits of a mark lead to which verdict. */
static void add_dispatch(struct image *i, uint64_t lanes)
{
	static const struct {
		enum mark_outcome is;
		enum ir_chain chain;
	} outcomes[] = { { MARK_UNJUDGED, CHAIN_UNANSWERED },
			 { MARK_GOOD, CHAIN_JUDGED_GOOD },
			 { MARK_QUIET, CHAIN_JUDGED_QUIET },
			 { MARK_CONFIRMED, CHAIN_JUDGED_CONFIRMED } };

	add_verdict(i, TABLE_LANES, MARK_FAST, VERDICT_ACCEPT, CHAIN_COUNT);
	for (uint32_t n = 1; n < LANE_COUNT; n++) {
		uint32_t bits = n << MARK_LANE_SHIFT;
		struct lane l;
		enum failure f;

		if (!i->chains[CHAIN_LANE_FIRST + n])
			continue;
		add_verdict(i, TABLE_LANES, bits, VERDICT_GOTO, CHAIN_LANE_FIRST + n);
		add_verdict(i, TABLE_LANES, bits | MARK_TWIN, VERDICT_GOTO, CHAIN_LANE_FIRST + n);
		if ((lanes >> n & 1) == 0 || !lane_of(n, &l))
			continue;
		f = lane_unanswered(l);
		if (f != FAIL_CLOSED)
			add_verdict(i, TABLE_UNANSWERED, bits, VERDICT_GOTO, f == FAIL_HOLD ? CHAIN_HOLD : CHAIN_OPEN);
	}
	for (size_t n = 0; n < sizeof(outcomes) / sizeof(outcomes[0]); n++)
		add_verdict(i, TABLE_OUTCOMES, (uint32_t)outcomes[n].is << MARK_OUTCOME_SHIFT, VERDICT_GOTO,
			    outcomes[n].chain);
}

static void rules_mark(struct image *i, const struct expectation *x)
{
	for (size_t n = 0; n < x->n_rules; n++) {
		const struct ir_rule *r = &x->rules[n];

		i->chains[r->chain] = true;
		for (uint32_t s = 0; s < r->n; s++) {
			if (r->stmts[s].kind == IR_GOTO && r->stmts[s].a < CHAIN_COUNT)
				i->chains[r->stmts[s].a] = true;
			if (r->stmts[s].kind == IR_COUNT && r->stmts[s].a < REASON_COUNT)
				i->counters[r->stmts[s].a].present = true;
		}
	}
}

int image_expect(struct image *i, struct expectation *x, struct err *e)
{
	struct ir_element *elements;
	struct image_element *digest;
	size_t n;
	int r;

	x->lanes = ir_lanes(x->ir) | x->extra_lanes;
	ir_limits_add_all(&x->limits, x->ir);
	x->n_rules = ir_skeleton(x->lanes | ir_lasting_lanes(x->ir), ir_maps(x->ir), &x->limits, i->arena, &x->rules);
	if (x->n_rules == 0 || arena_failed(i->arena))
		return err_set(e, -ENOMEM, "rules of the generation");
	i->table = i->table_plain = true;
	for (unsigned c = 0; c < CHAIN_LANE_FIRST; c++)
		i->chains[c] = true;
	for (unsigned c = 0; c < BASE_CHAINS; c++)
		i->policy_drop[c] = true;
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++)
		i->sets[s] = true;
	rules_mark(i, x);
	add_dispatch(i, x->lanes);
	n = ir_elements(x->ir, x->ids, i->arena, &elements);
	if (arena_failed(i->arena))
		return err_set(e, -ENOMEM, "elements of the generation");
	for (size_t k = 0; k < n; k++) {
		r = add_element(i, x, &elements[k]);
		if (r != 0)
			return err_set(e, r, "element %zu of the generation, line %u", k, elements[k].line);
	}
	for (uint32_t lane = 1; lane < LANE_CUT; lane++) {
		struct ir_element reset = {
			.set = SET_RESETS,
			.mark_key = lane << MARK_LANE_SHIFT,
			.mark_key2 = lane << MARK_LANE_SHIFT,
		};

		if (((x->extra_lanes & ~ir_lanes(x->ir)) >> lane & 1) == 0)
			continue;
		(void)add_element(i, x, &reset);
	}
	digest = image_add(i, TABLE_GENERATION);
	if (digest == NULL || arena_failed(i->arena))
		return err_set(e, -ENOMEM, "elements of the generation");
	memcpy(digest->key, x->ir->digest, 32);
	memcpy(digest->key_end, x->ir->digest, 32);
	return 0;
}

int image_linger(struct image *i, const struct image *from, uint32_t permit)
{
	struct image_element *e;
	uint32_t field;

	for (unsigned set = SET_LIVE; set <= SET_LIMITED; set++) {
		for (size_t n = 0; n < from->elements[set].n; n++) {
			const struct image_element *old = &from->elements[set].list[n];

			memcpy(&field, old->key + (set == SET_LIVE ? 8 : 0), sizeof(field));
			if (mark_permit(field) != permit)
				continue;
			e = image_add(i, set);
			if (e == NULL)
				return -ENOMEM;
			*e = *old;
			e->line = 0;
		}
	}
	e = image_add(i, TABLE_LINGERING);
	if (e == NULL)
		return -ENOMEM;
	put32(e->key, permit);
	put32(e->key_end, permit);
	return 0;
}

static const char *interface_text(const struct ir *ir, const uint32_t *interfaces, uint32_t index, char buf[16])
{
	if (ir != NULL && interfaces != NULL)
		for (uint32_t n = 0; n < ir->n_interfaces; n++)
			if (interfaces[n] == index)
				return ir->interfaces[n].name;
	snprintf(buf, 16, "#%u", index);
	return buf;
}

static uint32_t native32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

struct cell_read cell_read(unsigned set, const struct image_element *el)
{
	uint8_t family = ir_set_six(set) ? 6 : 4;
	const uint8_t *lo = el->key, *hi = el->key_end;
	size_t n = addr_len(family), proto = 2 * n, port = 2 * n + 4;
	struct cell_read c = { .iif = native32(lo + 2 * n + 8),
			       .oif = native32(lo + 2 * n + 12),
			       .src = { { .family = family }, { .family = family } },
			       .dst = { { .family = family }, { .family = family } },
			       .l4proto = lo[proto],
			       .lo = (uint16_t)(lo[port] << 8 | lo[port + 1]),
			       .hi = (uint16_t)(hi[port] << 8 | hi[port + 1]) };

	memcpy(c.src.lo.b, lo, n);
	memcpy(c.src.hi.b, hi, n);
	memcpy(c.dst.lo.b, lo + n, n);
	memcpy(c.dst.hi.b, hi + n, n);
	return c;
}

static void cell_text(unsigned set, const struct image_element *el, const struct ir *ir, const uint32_t *interfaces,
		      char *out, size_t size)
{
	struct cell_read c = cell_read(set, el);
	char in[16], oi[16], s[2 * ADDR_TEXT], d[2 * ADDR_TEXT];

	addr_range_text(&c.src, s, sizeof(s));
	addr_range_text(&c.dst, d, sizeof(d));
	snprintf(out, size, "%s %s %s %s protocol %u port %u-%u -> permit %u lane %u",
		 interface_text(ir, interfaces, c.iif, in), interface_text(ir, interfaces, c.oif, oi), s, d, c.l4proto,
		 c.lo, c.hi, mark_permit(el->data), mark_lane(el->data));
}

void image_element_text(unsigned set, const struct image_element *el, const struct ir *ir, const uint32_t *interfaces,
			char *out, size_t size)
{
	uint32_t a = native32(el->key), b = native32(el->key + 4);
	char in[16];
	size_t at;

	if (ir_set_cells(set) || ir_set_bridge(set)) {
		cell_text(set, el, ir, interfaces, out, size);
		return;
	}
	switch (set) {
	case SET_LIVE:
		snprintf(out, size, "%s direction %u mark 0x%08x -> 0x%08x", interface_text(ir, interfaces, a, in),
			 el->key[4], native32(el->key + 8), el->data);
		break;
	case SET_HOME:
		snprintf(out, size, "%s mark 0x%08x", interface_text(ir, interfaces, a, in), b);
		break;
	case TABLE_LANES:
	case TABLE_UNANSWERED:
	case TABLE_OUTCOMES:
		snprintf(out, size, "mark 0x%08x -> %s %u", a,
			 el->verdict == VERDICT_ACCEPT ? "accept"
			 : el->verdict == VERDICT_GOTO ? "chain"
						       : "verdict",
			 el->chain);
		break;
	case TABLE_GENERATION:
		for (at = 0; at < 32 && 2 * at + 2 < size; at++)
			snprintf(out + 2 * at, size - 2 * at, "%02x", el->key[at]);
		break;
	default:
		snprintf(out, size, "0x%08x 0x%08x", a, b);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses the test packets: packets at every edge of the policy's cells and of the elements in the
 * kernel's maps, and one step beside it. Each of the two lists is walked in a circle from a
 * position that the seed chooses, so that many short looks cover all of it. Also has the function
 * that runs all tests in order.
 */
#include "appliance/enforce/witness.h"

#include <string.h>

#include "appliance/base/clock.h"

static uint32_t pick(struct asking *a, uint32_t n)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return n == 0 ? 0 : (uint32_t)(a->random % n);
}

/* The address one lower or one higher; false where there is none. */
static bool beside(const struct addr *x, bool up, struct addr *ret)
{
	*ret = *x;
	for (size_t i = addr_len(x->family); i > 0; i--) {
		ret->b[i - 1] = (uint8_t)(ret->b[i - 1] + (up ? 1 : 0xff));
		if (ret->b[i - 1] != (up ? 0 : 0xff))
			return true;
	}
	return false;
}

static void port_edges(struct asking *a, struct tuple t, uint16_t lo, uint16_t hi)
{
	t.port = hi;
	witness_put(a, &t);
	if (hi < UINT16_MAX) {
		t.port = (uint16_t)(hi + 1);
		witness_put(a, &t);
	}
	t.port = lo;
	witness_put(a, &t);
	if (lo > 0) {
		t.port = (uint16_t)(lo - 1);
		witness_put(a, &t);
	}
}

/* Asks about packets at every edge of a box of packets and one step outside, then with other
 * protocols and other interfaces. */
static void edges(struct asking *a, const struct tuple *lowest, const struct addr *src_hi, const struct addr *dst_hi,
		  uint16_t port_hi)
{
	static const uint8_t protocols[] = { WALK_TCP, WALK_UDP, 1, 58, 47, 132 };
	struct tuple t = *lowest;

	port_edges(a, t, lowest->port, port_hi);
	if (beside(&lowest->src, false, &t.src))
		witness_put(a, &t);
	if (beside(src_hi, true, &t.src))
		witness_put(a, &t);
	t.src = *src_hi;
	witness_put(a, &t);
	if (beside(&lowest->dst, false, &t.dst))
		witness_put(a, &t);
	if (beside(dst_hi, true, &t.dst))
		witness_put(a, &t);
	t.dst = *dst_hi;
	witness_put(a, &t);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		t = *lowest;
		t.l4proto = protocols[i];
		if ((t.l4proto == 1 && t.src.family == 6) || (t.l4proto == 58 && t.src.family == 4))
			continue;
		witness_put(a, &t);
	}
	for (uint32_t i = 0; i < a->w->ir->n_interfaces; i++) {
		t = *lowest;
		t.in = i;
		witness_put(a, &t);
		t = *lowest;
		t.out = i;
		witness_put(a, &t);
	}
	/* The tuple of the opposite direction. */
	t = *lowest;
	t.in = lowest->out;
	t.out = lowest->in;
	t.src = lowest->dst;
	t.dst = lowest->src;
	witness_put(a, &t);
}

static void test_cells(struct asking *a)
{
	const struct ir *ir = a->w->ir;
	uint32_t start = pick(a, ir->n_cells);

	for (uint32_t i = 0; i < ir->n_cells && !witness_over(a); i++) {
		const struct ir_cell *c = &ir->cells[(start + i) % ir->n_cells];
		struct tuple t = { c->iif, c->oif, c->src.lo, c->dst.lo, c->l4proto, c->lo };

		edges(a, &t, &c->src.hi, &c->dst.hi, c->hi);
	}
}

static bool position(const struct asking *a, const uint8_t *key, uint32_t *ret)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	for (uint32_t i = 0; i < a->w->ir->n_interfaces; i++)
		if (a->w->interfaces[i] == index && index != 0) {
			*ret = i;
			return true;
		}
	return false;
}

/* Elements in the kernel's maps are tested too, because an element that belongs to no cell has
 * edges that no cell has. */
static void test_elements(struct asking *a)
{
	for (size_t s = 0; s < a->r->n_sets; s++) {
		const struct set_read *set = &a->r->sets[s];
		size_t n = set->key_len == 24 ? 4 : 16;
		size_t start = pick(a, (uint32_t)set->n);

		if (!set->map || (set->key_len != 24 && set->key_len != 48))
			continue;
		for (size_t i = 0; i < set->n && !witness_over(a); i++) {
			const struct element_read *e = &set->list[(start + i) % set->n];
			struct addr hi[2] = { { .family = n == 4 ? 4 : 6 }, { .family = n == 4 ? 4 : 6 } };
			struct tuple t = { .src = hi[0], .dst = hi[0], .l4proto = e->key[2 * n] };
			size_t port = 2 * n + 4;

			if (!position(a, e->key + port + 4, &t.in) || !position(a, e->key + port + 8, &t.out))
				continue;
			memcpy(t.src.b, e->key, n);
			memcpy(t.dst.b, e->key + n, n);
			memcpy(hi[0].b, e->key_end, n);
			memcpy(hi[1].b, e->key_end + n, n);
			t.port = (uint16_t)(e->key[port] << 8 | e->key[port + 1]);
			edges(a, &t, &hi[0], &hi[1], (uint16_t)(e->key_end[port] << 8 | e->key_end[port + 1]));
		}
	}
}

void witness_ask(struct witness *w, const struct ruleset *r, witness_each *each, void *ctx)
{
	struct asking a = {
		.w = w,
		.r = r,
		.each = each,
		.ctx = ctx,
		.random = w->seed | 1,
		.deadline = w->limit_ns == 0 ? 0 : clock_mono().ns + w->limit_ns,
	};

	w->packets = 0;
	witness_box(&a);
	witness_errors(&a);
	witness_resets(&a);
	test_elements(&a);
	test_cells(&a);
}

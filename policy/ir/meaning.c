/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/ir.h"

#include <string.h>

#include "appliance/base/bytes.h"
#include "appliance/base/sha256.h"

/* Adds a number to the digest. */
static void mix(uint8_t digest[32], uint64_t n)
{
	uint8_t bytes[8];
	struct outbuf o = outbuf_of(bytes, sizeof(bytes));

	out_be64(&o, n);
	sha256_pair(digest, 32, bytes, sizeof(bytes), digest);
}

static void mix_ranges(uint8_t digest[32], const struct addr_range *list, uint32_t n)
{
	mix(digest, n);
	for (uint32_t i = 0; i < n; i++) {
		mix(digest, list[i].lo.family);
		sha256_pair(digest, 32, list[i].lo.b, sizeof(list[i].lo.b), digest);
		sha256_pair(digest, 32, list[i].hi.b, sizeof(list[i].hi.b), digest);
	}
}

static void mix_set(uint8_t digest[32], const struct command_table *t, const struct number_set *s)
{
	mix(digest, s->any);
	mix(digest, s->n);
	for (uint32_t i = 0; i < s->n; i++) {
		mix(digest, t->ranges[s->first + i].lo);
		mix(digest, t->ranges[s->first + i].hi);
	}
}

static void mix_row(uint8_t digest[32], const struct command_table *t, const struct command_row *r)
{
	mix_set(digest, t, &r->services);
	for (unsigned i = 0; i < TARGET_MAX; i++)
		mix_set(digest, t, &r->targets[i]);
	mix_set(digest, t, &r->values);
	mix(digest, r->spaces_any);
	mix(digest, r->n_spaces);
	for (uint32_t i = 0; i < r->n_spaces; i++) {
		mix(digest, t->spaces[r->first_space + i].space);
		mix_set(digest, t, &t->spaces[r->first_space + i].numbers);
	}
}

void ir_conduit_meaning(const struct ir *ir, const struct ir_conduit *c, uint8_t ret[32])
{
	memset(ret, 0, 32);
	mix(ret, c->shadow);
	mix_ranges(ret, c->sources, c->n_sources);
	mix_ranges(ret, c->destinations, c->n_destinations);
	mix(ret, c->n_services);
	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct ir_service *s = &ir->services[c->services[i]];

		mix(ret, s->protocol);
		mix(ret, s->whole);
		mix(ret, s->n_ports);
		for (uint32_t k = 0; k < s->n_ports; k++)
			mix(ret, (uint64_t)s->ports[k].l4proto << 32 | (uint64_t)s->ports[k].lo << 16 | s->ports[k].hi);
		mix(ret, s->n_rows);
		for (uint32_t k = 0; k < s->n_rows && s->first_row + k < ir->table.n_rows; k++)
			mix_row(ret, &ir->table, &ir->table.rows[s->first_row + k]);
	}
}

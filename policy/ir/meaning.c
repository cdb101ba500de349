/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/meaning.h"
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

static void mix_text(uint8_t digest[32], const char *text)
{
	mix(digest, strlen(text));
	sha256_pair(digest, 32, text, strlen(text), digest);
}

static void mix_window(uint8_t digest[32], const struct ir *ir, const struct ir_window *w)
{
	mix_text(digest, ir->time_zone);
	mix(digest, (uint64_t)w->days << 32 | (uint64_t)w->from << 16 | w->to);
	mix(digest, (uint64_t)w->first << 32 | w->last);
	for (uint32_t i = 0; i < w->n_except; i++)
		mix(digest, w->except[i].day);
}

static void mix_conduit(uint8_t digest[32], const struct ir *ir, const struct ir_conduit *c)
{
	const uint64_t numbers[] = { c->observe,
				     c->starts,
				     c->until,
				     c->idle,
				     c->session,
				     c->window < ir->n_windows,
				     c->when_down,
				     c->when_overloaded,
				     c->when_midstream,
				     c->deny_weak_tls,
				     c->tighten_new_flows,
				     c->criticality,
				     c->n_servers };
	uint8_t meaning[32];

	mix_text(digest, c->name);
	for (unsigned end = 0; end < 2; end++) {
		const struct ir_zone *z = &ir->zones[end == 0 ? c->from : c->to];

		mix_text(digest, z->name);
		for (uint32_t i = 0; i < z->n_interfaces; i++)
			mix_text(digest, ir->interfaces[z->interfaces[i]].name);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		mix(digest, numbers[i]);
	for (uint32_t i = 0; i < c->n_servers; i++)
		mix_text(digest, c->servers[i].name);
	if (c->window < ir->n_windows)
		mix_window(digest, ir, &ir->windows[c->window]);
	for (uint32_t i = 0; i < c->n_services; i++)
		mix(digest, (uint64_t)ir->services[c->services[i]].lenient << 32 |
				    ir->services[c->services[i]].undecided_bytes);
	ir_conduit_meaning(ir, c, meaning);
	sha256_pair(digest, 32, meaning, sizeof(meaning), digest);
}

bool ir_door_meaning(const struct ir *ir, const char *name, uint8_t ret[32])
{
	const struct ir_door *d = ir->doors;

	memset(ret, 0, 32);
	while (d < ir->doors + ir->n_doors && strcmp(d->name, name) != 0)
		d++;
	if (d == ir->doors + ir->n_doors)
		return false;
	mix_text(ret, d->name);
	mix_text(ret, d->organisation);
	mix(ret, d->contract_until);
	mix(ret, (uint64_t)d->at_most << 32 | d->opened_by);
	mix(ret, (uint64_t)d->needs << 2 | (uint64_t)d->second_person << 1 | d->break_glass);
	for (uint32_t i = 0; i < ir->n_conduits; i++)
		if (ir->conduits[i].door == d - ir->doors)
			mix_conduit(ret, ir, &ir->conduits[i]);
	return true;
}

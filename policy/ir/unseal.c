/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading sealed generations. The digest tells damage, not malice: whoever may write generations may also compute it.
 * So the reader still holds every rule that the rest of the program relies on: counts against what is left, indexes,
 * ranges, order.
 */
#include <errno.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "policy/ir/ir.h"
#include "policy/ir/wire.h"

struct reader {
	struct bytes b;
	struct arena *a;
	struct ir *ir;
	bool wrong; /* a rule does not hold */
	bool no_memory;
};

static bool good(const struct reader *r)
{
	return !r->b.failed && !r->wrong && !r->no_memory;
}

static void hold(struct reader *r, bool rule)
{
	if (!rule)
		r->wrong = true;
}

/* A count of things that take at least `least` bytes each; NULL and *n == 0 after any failure. */
static void *get_list(struct reader *r, uint32_t *n, size_t least, size_t size)
{
	void *p;

	bytes_be32(&r->b, n);
	if (*n > r->b.left / least)
		r->wrong = true;
	if (!good(r)) {
		*n = 0;
		return NULL;
	}
	p = arena_array(r->a, *n, size);
	if (p == NULL) {
		r->no_memory = true;
		*n = 0;
	}
	return p;
}

static char *get_text(struct reader *r, uint32_t max, uint32_t *ret_n)
{
	struct bytes s;
	uint32_t n;
	char *p;

	bytes_be32(&r->b, &n);
	if (n > max || n > r->b.left)
		r->wrong = true;
	if (!good(r) || !bytes_take(&r->b, n, &s))
		return NULL;
	p = arena_alloc(r->a, (size_t)n + 1);
	if (p == NULL) {
		r->no_memory = true;
		return NULL;
	}
	bytes_copy(&s, p, n);
	p[n] = '\0';
	*ret_n = n;
	return p;
}

/* Never NULL when the reader is good: absent strings are "". */
static const char *get_string(struct reader *r)
{
	uint32_t n = 0;
	char *p = get_text(r, IR_STRING_MAX, &n);

	hold(r, p == NULL || strlen(p) == n);
	return p;
}

static bool get_flag(struct reader *r)
{
	uint8_t v;

	bytes_u8(&r->b, &v);
	hold(r, v <= 1);
	return v == 1;
}

static struct addr get_addr(struct reader *r, bool may_be_unset)
{
	struct addr a = { 0 };

	bytes_u8(&r->b, &a.family);
	hold(r, a.family == 4 || a.family == 6 || (may_be_unset && a.family == 0));
	if (good(r))
		bytes_copy(&r->b, a.b, addr_len(a.family));
	return a;
}

static struct addr_range get_range(struct reader *r)
{
	struct addr_range x;

	x.lo = get_addr(r, false);
	x.hi = get_addr(r, false);
	hold(r, x.lo.family == x.hi.family && addr_cmp(&x.lo, &x.hi) <= 0);
	return x;
}

static uint32_t get_index(struct reader *r, uint32_t n)
{
	uint32_t i;

	bytes_be32(&r->b, &i);
	hold(r, i < n);
	return i;
}

static void get_box(struct reader *r)
{
	struct ir *ir = r->ir;

	bytes_be32(&r->b, &ir->workers);
	hold(r, ir->workers >= 1 && ir->workers <= WORKER_MAX);
	ir->interfaces = get_list(r, &ir->n_interfaces, 17, sizeof(*ir->interfaces));
	for (uint32_t i = 0; i < ir->n_interfaces && good(r); i++) {
		struct ir_interface *f = &ir->interfaces[i];

		f->name = get_string(r);
		f->device = get_string(r);
		f->admin = get_flag(r);
		bytes_be32(&r->b, &f->mtu);
		f->addresses = get_list(r, &f->n_addresses, 6, sizeof(*f->addresses));
		f->prefix_lengths = arena_array(r->a, f->n_addresses, 1);
		if (f->prefix_lengths == NULL) {
			r->no_memory = true;
			return;
		}
		for (uint32_t k = 0; k < f->n_addresses && good(r); k++) {
			f->addresses[k] = get_addr(r, false);
			bytes_u8(&r->b, &f->prefix_lengths[k]);
			hold(r, f->prefix_lengths[k] <= 8 * addr_len(f->addresses[k].family));
		}
	}
	ir->routes = get_list(r, &ir->n_routes, 15, sizeof(*ir->routes));
	for (uint32_t i = 0; i < ir->n_routes && good(r); i++) {
		ir->routes[i].to = get_range(r);
		ir->routes[i].via = get_addr(r, true);
		bytes_be32(&r->b, &ir->routes[i].interface);
		hold(r, ir->routes[i].interface < ir->n_interfaces || ir->routes[i].interface == UINT32_MAX);
	}
}

static void get_sources(struct reader *r)
{
	struct ir *ir = r->ir;

	ir->sources = get_list(r, &ir->n_sources, 8, sizeof(*ir->sources));
	for (uint32_t i = 0; i < ir->n_sources && good(r); i++) {
		ir->sources[i].name = get_string(r);
		ir->sources[i].text = get_text(r, IR_TEXT_MAX, &ir->sources[i].size);
	}
}

static void get_zones(struct reader *r)
{
	struct ir *ir = r->ir;

	ir->zones = get_list(r, &ir->n_zones, 17, sizeof(*ir->zones));
	for (uint32_t i = 0; i < ir->n_zones && good(r); i++) {
		struct ir_zone *z = &ir->zones[i];

		z->name = get_string(r);
		z->label = get_string(r);
		bytes_u8(&r->b, &z->class);
		z->interfaces = get_list(r, &z->n_interfaces, 4, sizeof(*z->interfaces));
		for (uint32_t k = 0; k < z->n_interfaces && good(r); k++)
			z->interfaces[k] = get_index(r, ir->n_interfaces);
		z->ranges = get_list(r, &z->n_ranges, 10, sizeof(*z->ranges));
		for (uint32_t k = 0; k < z->n_ranges && good(r); k++) {
			z->ranges[k] = get_range(r);
			hold(r, k == 0 || addr_cmp(&z->ranges[k - 1].hi, &z->ranges[k].lo) < 0);
		}
	}
}

static void get_assets(struct reader *r)
{
	struct ir *ir = r->ir;

	ir->assets = get_list(r, &ir->n_assets, 16, sizeof(*ir->assets));
	for (uint32_t i = 0; i < ir->n_assets && good(r); i++) {
		struct ir_asset *a = &ir->assets[i];

		a->name = get_string(r);
		a->label = get_string(r);
		a->zone = get_index(r, ir->n_zones);
		a->ranges = get_list(r, &a->n_ranges, 10, sizeof(*a->ranges));
		for (uint32_t k = 0; k < a->n_ranges && good(r); k++)
			a->ranges[k] = get_range(r);
	}
}

static void get_conduits(struct reader *r)
{
	struct ir *ir = r->ir;

	ir->conduits = get_list(r, &ir->n_conduits, 54, sizeof(*ir->conduits));
	for (uint32_t i = 0; i < ir->n_conduits && good(r); i++) {
		struct ir_conduit *c = &ir->conduits[i];

		c->name = get_string(r);
		c->label = get_string(r);
		c->purpose = get_string(r);
		c->owner = get_string(r);
		c->approved_by = get_string(r);
		c->review_by = get_string(r);
		c->from = get_index(r, ir->n_zones);
		c->to = get_index(r, ir->n_zones);
		c->file = get_index(r, ir->n_sources);
		bytes_be32(&r->b, &c->line);
		c->observe = get_flag(r);
		c->shadow = get_flag(r);
		bytes_be64(&r->b, &c->until);
		c->accepts = get_list(r, &c->n_accepts, 8, sizeof(*c->accepts));
		for (uint32_t k = 0; k < c->n_accepts && good(r); k++) {
			c->accepts[k].warning = get_string(r);
			c->accepts[k].reason = get_string(r);
		}
	}
}

static void get_permits(struct reader *r)
{
	struct ir *ir = r->ir;

	ir->permits = get_list(r, &ir->n_permits, 51, sizeof(*ir->permits));
	for (uint32_t i = 0; i < ir->n_permits && good(r); i++) {
		struct ir_permit *p = &ir->permits[i];
		struct lane unused;

		bytes_be32(&r->b, &p->lane);
		hold(r, p->lane == LANE_NONE || lane_of(p->lane, &unused));
		p->observe = get_flag(r);
		p->tighten_new_flows = get_flag(r);
		bytes_u8(&r->b, &p->midstream);
		hold(r, p->midstream <= MID_PICK_UP);
		bytes_be64(&r->b, &p->until);
		bytes_be32(&r->b, &p->protocols);
		hold(r, p->protocols >> 1 >> (PROTO_COUNT - 1) == 0);
		bytes_copy(&r->b, p->identity, sizeof(p->identity));
	}
}

/* Strictly ascending in the order that cells.c gives them. */
static bool in_order(const struct ir_cell *a, const struct ir_cell *b)
{
	int c;

	if (a->layer != b->layer)
		return a->layer < b->layer;
	if (a->iif != b->iif)
		return a->iif < b->iif;
	if (a->oif != b->oif)
		return a->oif < b->oif;
	if (a->src.lo.family != b->src.lo.family)
		return a->src.lo.family < b->src.lo.family;
	if (a->l4proto != b->l4proto)
		return a->l4proto < b->l4proto;
	c = addr_cmp(&a->src.lo, &b->src.lo);
	if (c == 0)
		c = addr_cmp(&a->dst.lo, &b->dst.lo);
	return c != 0 ? c < 0 : a->hi < b->lo;
}

static void get_cells(struct reader *r)
{
	struct ir *ir = r->ir;

	ir->cells = get_list(r, &ir->n_cells, 46, sizeof(*ir->cells));
	for (uint32_t i = 0; i < ir->n_cells && good(r); i++) {
		struct ir_cell *c = &ir->cells[i];
		bool icmp;

		bytes_u8(&r->b, &c->layer);
		c->iif = get_index(r, ir->n_interfaces);
		c->oif = get_index(r, ir->n_interfaces);
		c->src = get_range(r);
		c->dst = get_range(r);
		bytes_u8(&r->b, &c->l4proto);
		bytes_be16(&r->b, &c->lo);
		bytes_be16(&r->b, &c->hi);
		c->permit = get_index(r, ir->n_permits);
		c->file = get_index(r, ir->n_sources);
		bytes_be32(&r->b, &c->line);
		if (!good(r))
			return;
		icmp = c->l4proto == (c->src.lo.family == 6 ? 58 : 1);
		hold(r, c->layer <= IR_LAYERS && c->lo <= c->hi && c->src.lo.family == c->dst.lo.family &&
				(icmp || c->l4proto == 6 || c->l4proto == 17));
		/* A cell without end has a permit without end: else `live` would outlast the map, or the other way round. */
		hold(r, (ir->permits[c->permit].until != 0) == (c->layer > 0));
		hold(r, i == 0 || in_order(&ir->cells[i - 1], c));
	}
}

static void get_table(struct reader *r)
{
	const struct command_table *t = &r->ir->table;
	struct bytes image;
	uint32_t n;
	void *memory;

	bytes_be32(&r->b, &n);
	if (!good(r) || !bytes_take(&r->b, n, &image))
		return;
	memory = arena_alloc(r->a, COMMANDS_MEMORY(n));
	if (memory == NULL) {
		r->no_memory = true;
		return;
	}
	hold(r, commands_decode(image, memory, COMMANDS_MEMORY(n), &r->ir->table) && t->n_permits == r->ir->n_permits);
	for (uint32_t i = 0; i < t->n_permits && good(r); i++)
		hold(r, t->permits[i].permit == i + 1 && t->permits[i].lane == r->ir->permits[i].lane &&
				t->permits[i].observe == r->ir->permits[i].observe &&
				t->permits[i].midstream == r->ir->permits[i].midstream);
	for (uint32_t i = 0; i < t->n_grants && good(r); i++)
		hold(r, t->grants[i].conduit < r->ir->n_conduits);
}

static void get_ir(struct reader *r)
{
	uint32_t version;

	bytes_be32(&r->b, &version);
	hold(r, version == IR_VERSION);
	r->ir->site_name = get_string(r);
	r->ir->site_label = get_string(r);
	if (good(r))
		get_box(r);
	if (good(r))
		get_sources(r);
	if (good(r))
		get_zones(r);
	if (good(r))
		get_assets(r);
	if (good(r))
		get_conduits(r);
	if (good(r))
		get_permits(r);
	if (good(r))
		get_cells(r);
	if (good(r))
		get_table(r);
	hold(r, bytes_done(&r->b));
}

int ir_unseal(struct bytes b, struct arena *a, struct ir *ret, struct err *e)
{
	struct reader r = { .b = b, .a = a, .ir = ret };
	uint8_t want[32], have[32];

	memset(ret, 0, sizeof(*ret));
	if (!bytes_starts(&r.b, IR_MAGIC, IR_MAGIC_SIZE) || !bytes_skip(&r.b, IR_MAGIC_SIZE) ||
	    !bytes_copy(&r.b, want, sizeof(want)))
		return err_set(e, -EBADMSG, "generation: not a sealed generation");
	sha256(r.b.p, r.b.left, have);
	if (memcmp(want, have, sizeof(want)) != 0)
		return err_set(e, -EBADMSG, "generation: digest does not match");
	get_ir(&r);
	if (good(&r)) {
		memcpy(ret->digest, have, sizeof(ret->digest));
		return 0;
	}
	memset(ret, 0, sizeof(*ret));
	if (r.no_memory)
		return err_set(e, -ENOMEM, "generation");
	return err_set(e, -EBADMSG, "generation: a count, index or order does not hold");
}

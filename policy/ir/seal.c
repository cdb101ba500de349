/* SPDX-License-Identifier: Apache-2.0 */
/* Writing sealed generations; the layout is told in ir/wire.h, the reading counterpart is ir/unseal.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "policy/ir/ir.h"
#include "policy/ir/wire.h"

static void put_string(struct outbuf *o, const char *s)
{
	size_t n = s != NULL ? strlen(s) : 0;

	if (n > IR_STRING_MAX)
		o->failed = true;
	out_be32(o, (uint32_t)n);
	out_bytes(o, s, n);
}

static void put_addr(struct outbuf *o, const struct addr *a)
{
	out_u8(o, a->family);
	out_bytes(o, a->b, addr_len(a->family));
}

static void put_range(struct outbuf *o, const struct addr_range *r)
{
	put_addr(o, &r->lo);
	put_addr(o, &r->hi);
}

static void put_box(struct outbuf *o, const struct ir *ir)
{
	out_be32(o, ir->workers);
	out_be32(o, ir->n_interfaces);
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		const struct ir_interface *f = &ir->interfaces[i];

		put_string(o, f->name);
		put_string(o, f->device);
		out_u8(o, f->admin);
		out_be32(o, f->mtu);
		out_be32(o, f->n_addresses);
		for (uint32_t k = 0; k < f->n_addresses; k++) {
			put_addr(o, &f->addresses[k]);
			out_u8(o, f->prefix_lengths[k]);
		}
	}
	out_be32(o, ir->n_routes);
	for (uint32_t i = 0; i < ir->n_routes; i++) {
		put_range(o, &ir->routes[i].to);
		put_addr(o, &ir->routes[i].via);
		out_be32(o, ir->routes[i].interface);
	}
}

static void put_zones(struct outbuf *o, const struct ir *ir)
{
	out_be32(o, ir->n_zones);
	for (uint32_t i = 0; i < ir->n_zones; i++) {
		const struct ir_zone *z = &ir->zones[i];

		put_string(o, z->name);
		put_string(o, z->label);
		out_u8(o, z->class);
		out_be32(o, z->n_interfaces);
		for (uint32_t k = 0; k < z->n_interfaces; k++)
			out_be32(o, z->interfaces[k]);
		out_be32(o, z->n_ranges);
		for (uint32_t k = 0; k < z->n_ranges; k++)
			put_range(o, &z->ranges[k]);
	}
}

static void put_assets(struct outbuf *o, const struct ir *ir)
{
	out_be32(o, ir->n_assets);
	for (uint32_t i = 0; i < ir->n_assets; i++) {
		const struct ir_asset *a = &ir->assets[i];

		put_string(o, a->name);
		put_string(o, a->label);
		out_be32(o, a->zone);
		out_be32(o, a->n_ranges);
		for (uint32_t k = 0; k < a->n_ranges; k++)
			put_range(o, &a->ranges[k]);
	}
}

static void put_conduits(struct outbuf *o, const struct ir *ir)
{
	out_be32(o, ir->n_conduits);
	for (uint32_t i = 0; i < ir->n_conduits; i++) {
		const struct ir_conduit *c = &ir->conduits[i];

		put_string(o, c->name);
		put_string(o, c->label);
		put_string(o, c->purpose);
		put_string(o, c->owner);
		put_string(o, c->approved_by);
		put_string(o, c->review_by);
		out_be32(o, c->from);
		out_be32(o, c->to);
		out_be32(o, c->file);
		out_be32(o, c->line);
		out_u8(o, c->observe);
		out_u8(o, c->shadow);
		out_be64(o, c->until);
		out_be32(o, c->n_accepts);
		for (uint32_t k = 0; k < c->n_accepts; k++) {
			put_string(o, c->accepts[k].warning);
			put_string(o, c->accepts[k].reason);
		}
	}
}

static void put_sources(struct outbuf *o, const struct ir *ir)
{
	out_be32(o, ir->n_sources);
	for (uint32_t i = 0; i < ir->n_sources; i++) {
		put_string(o, ir->sources[i].name);
		if (ir->sources[i].size > IR_TEXT_MAX)
			o->failed = true;
		out_be32(o, ir->sources[i].size);
		out_bytes(o, ir->sources[i].text, ir->sources[i].size);
	}
}

static void put_cells(struct outbuf *o, const struct ir *ir)
{
	out_be32(o, ir->n_permits);
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		const struct ir_permit *p = &ir->permits[i];

		out_be32(o, p->lane);
		out_u8(o, p->observe);
		out_u8(o, p->tighten_new_flows);
		out_u8(o, p->midstream);
		out_be64(o, p->until);
		out_be32(o, p->protocols);
		out_bytes(o, p->identity, sizeof(p->identity));
	}
	out_be32(o, ir->n_cells);
	for (uint32_t i = 0; i < ir->n_cells; i++) {
		const struct ir_cell *c = &ir->cells[i];

		out_u8(o, c->layer);
		out_be32(o, c->iif);
		out_be32(o, c->oif);
		put_range(o, &c->src);
		put_range(o, &c->dst);
		out_u8(o, c->l4proto);
		out_be16(o, c->lo);
		out_be16(o, c->hi);
		out_be32(o, c->permit);
		out_be32(o, c->file);
		out_be32(o, c->line);
	}
}

static void put_ir(struct outbuf *o, const struct ir *ir)
{
	out_be32(o, IR_VERSION);
	put_string(o, ir->site_name);
	put_string(o, ir->site_label);
	put_box(o, ir);
	put_sources(o, ir);
	put_zones(o, ir);
	put_assets(o, ir);
	put_conduits(o, ir);
	put_cells(o, ir);
	out_be32(o, (uint32_t)commands_size(&ir->table));
	commands_encode(&ir->table, o);
}

int ir_seal(struct ir *ir, uint8_t **ret, size_t *ret_n, struct err *e)
{
	/* The buffer grows until it is enough: simpler than a second walk that only counts, and seals are rare. */
	for (size_t size = 1u << 20; size <= IR_SEALED_MAX; size *= 2) {
		uint8_t *p = malloc(size);
		struct outbuf o;

		if (p == NULL)
			return err_set(e, -ENOMEM, "seal generation");
		o = outbuf_of(p + IR_HEADER, size - IR_HEADER);
		put_ir(&o, ir);
		if (!o.failed) {
			struct outbuf header = outbuf_of(p, IR_HEADER);

			sha256(p + IR_HEADER, o.len, ir->digest);
			out_bytes(&header, IR_MAGIC, IR_MAGIC_SIZE);
			out_bytes(&header, ir->digest, sizeof(ir->digest));
			*ret = p;
			*ret_n = IR_HEADER + o.len;
			return 0;
		}
		free(p);
	}
	return err_set(e, -EFBIG, "seal generation: a name, a text or the whole is too long");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Writes sealed generations by walking through objects.def. ir/objects.h describes the layout;
 * ir/unseal.c reads it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "policy/ir/ir.h"
#include "policy/ir/objects.h"
#include "policy/ir/seal.h"

static void put_number(struct outbuf *o, uint64_t v, size_t size)
{
	if (size == 1)
		out_u8(o, (uint8_t)v);
	else if (size == 2)
		out_be16(o, (uint16_t)v);
	else if (size == 4)
		out_be32(o, (uint32_t)v);
	else
		out_be64(o, v);
}

static void put_text(struct outbuf *o, const char *s, size_t n, size_t max)
{
	if (n > max)
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

static void put_protocols(struct outbuf *o, const struct protocol_set *s)
{
	for (unsigned i = 0; i < PROTO_SET_WORDS; i++)
		out_be32(o, (uint32_t)(s->bits[i / 2u] >> i % 2u * 32u));
}

static void put_object(struct outbuf *o, const struct ir_object *object, const void *p);

static void put_list(struct outbuf *o, const struct ir_field *f, const void *p)
{
	uint32_t n = ir_count(p, f->n_at);
	const char *list = ir_pointer(p, f->at);

	out_be32(o, n);
	for (uint32_t i = 0; i < n; i++) {
		const void *one = list + i * f->size;

		if (f->kind == IR_LIST) {
			put_object(o, f->of, one);
		} else if (f->kind == IR_RANGES) {
			put_range(o, one);
		} else if (f->kind == IR_INDEXES) {
			put_number(o, ir_number(one, 0, f->size), f->size);
		} else {
			put_addr(o, one);
			out_u8(o, ((const uint8_t *)ir_pointer(p, f->also))[i]);
		}
	}
}

static void put_field(struct outbuf *o, const struct ir_field *f, const void *p)
{
	const void *at = (const char *)p + f->at;
	const char *text;

	switch (f->kind) {
	case IR_TEXT:
		text = ir_pointer(p, f->at);
		put_text(o, text, text != NULL ? strlen(text) : 0, IR_STRING_MAX);
		return;
	case IR_SOURCE_TEXT:
		put_text(o, ir_pointer(p, f->at), ir_count(p, f->also), IR_TEXT_MAX);
		return;
	case IR_FLAG:
	case IR_CHOICE:
	case IR_NUMBER:
	case IR_TIME:
	case IR_INDEX:
	case IR_INDEX_OR_NONE:
	case IR_TRANSPORT:
	case IR_LANE:
		put_number(o, ir_number(p, f->at, f->size), f->size);
		return;
	case IR_PORTS:
		put_number(o, ir_number(p, f->at, 2), 2);
		put_number(o, ir_number(p, f->also, 2), 2);
		return;
	case IR_ADDRESS_OR_NONE:
		put_addr(o, at);
		return;
	case IR_RANGE:
		put_range(o, at);
		return;
	case IR_PROTOCOLS:
		put_protocols(o, at);
		return;
	case IR_DIGEST:
		out_bytes(o, at, f->size);
		return;
	case IR_INDEXES:
	case IR_RANGES:
	case IR_HOSTS:
	case IR_LIST:
		put_list(o, f, p);
		return;
	}
}

static void put_object(struct outbuf *o, const struct ir_object *object, const void *p)
{
	for (size_t i = 0; i < object->n; i++)
		put_field(o, &object->fields[i], p);
}

/* marks a later setting in an identity; no lane begins with this byte */
#define IDENTITY_LATER 0xfeu

/* Whether this field was added after the first format. Its value 0 means what boxes did before the
 * field existed. */
static bool is_later(const struct ir_field *f)
{
	return f->since > IR_VERSION_FIRST;
}

/* A box identifies permits by these bytes over upgrades, so settings that were added later are only
 * written when they are not 0. */
void ir_put_settings(struct outbuf *o, const struct ir_permit *p)
{
	for (size_t i = 0; i < ir_permits->n; i++) {
		const struct ir_field *f = &ir_permits->fields[i];

		if (!is_later(f) || ir_number(p, f->at, f->size) == 0)
			continue;
		out_u8(o, IDENTITY_LATER);
		out_u8(o, (uint8_t)f->since);
		put_field(o, f, p);
	}
	for (size_t i = 0; i < ir_permits->n; i++) {
		const struct ir_field *f = &ir_permits->fields[i];

		if (!is_later(f) && f->kind != IR_DIGEST)
			put_field(o, f, p);
	}
}

int ir_seal(struct ir *ir, uint8_t **ret, size_t *ret_n, struct err *e)
{
	/* The first size is nearly always enough, and untouched memory costs nothing; otherwise
	 * begins again with twice as much. */
	for (size_t size = 16u << 20; size <= IR_SEALED_MAX; size *= 2) {
		uint8_t *p = malloc(size);
		struct outbuf o;

		if (p == NULL)
			return err_set(e, -ENOMEM, "seal generation");
		o = outbuf_of(p + IR_HEADER, size - IR_HEADER);
		out_be32(&o, IR_VERSION);
		put_object(&o, ir_generation, ir);
		out_be32(&o, (uint32_t)commands_size(&ir->table));
		commands_encode(&ir->table, &o);
		if (!o.failed) {
			struct outbuf header = outbuf_of(p, IR_HEADER);

			sha256(p + IR_HEADER, o.len, ir->digest);
			ir->version = IR_VERSION;
			out_bytes(&header, IR_MAGIC, IR_MAGIC_SIZE);
			out_bytes(&header, ir->digest, sizeof(ir->digest));
			*ret_n = IR_HEADER + o.len;
			/* the buffer keeps its size; the caller writes it and frees it */
			*ret = p;
			return 0;
		}
		free(p);
	}
	return err_set(e, -EFBIG, "seal generation: a name, a text or the whole is too long");
}

/* ---- the workers' command table -------------------------------------------------------------- */

/* The workers' command table: the generation's table with this box's permit ids, sorted by id. */

struct numbered {
	uint32_t id;
	uint32_t index;
};

static int by_id(const void *pa, const void *pb)
{
	const struct numbered *a = pa, *b = pb;

	return (a->id > b->id) - (a->id < b->id);
}

uint8_t *ir_table_image(const struct ir *ir, const uint32_t *ids, size_t *ret_n)
{
	const struct command_table *t = &ir->table;
	struct command_table out = *t;
	struct numbered *order = calloc((size_t)t->n_permits + 1, sizeof(*order));
	size_t size = commands_size(t);
	uint8_t *image = malloc(size);
	struct outbuf o = outbuf_of(image, size);
	bool ok = false;

	out.permits = calloc((size_t)t->n_permits + 1, sizeof(*out.permits));
	if (order != NULL && image != NULL && out.permits != NULL) {
		for (uint32_t i = 0; i < t->n_permits; i++)
			order[i] = (struct numbered){ ids[i], i };
		qsort(order, t->n_permits, sizeof(*order), by_id);
		for (uint32_t i = 0; i < t->n_permits; i++) {
			out.permits[i] = t->permits[order[i].index];
			out.permits[i].permit = order[i].id;
		}
		ok = commands_encode(&out, &o);
	}
	free(out.permits);
	free(order);
	if (!ok) {
		free(image);
		return NULL;
	}
	*ret_n = o.len;
	return image;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/enip/cip.h"

#include <string.h>

#include "appliance/wire/vocabulary.h"

#define PARTS_MAX_OF_PACKET 255u

/* The nesting of requests. Each level limits what a request may contain, so that nesting
 * is bounded. */
enum level {
	LEVEL_OUTER, /* a request by itself, which may be of any kind */
	/* within an Unconnected Send: may contain several requests, but no other Unconnected Send,
	 * and may not open connections */
	LEVEL_ROUTED,
	LEVEL_PART, /* part of a Multiple Service Packet: contains no other request */
};

static bool read_one(struct build *b, struct bytes message, enum level level, struct cip_asked *ret);

uint32_t cip_digest(uint32_t digest, uint8_t service)
{
	return (digest ^ service) * 0x01000193u;
}

struct operation *cip_plain_operation(struct parsed *p, uint32_t code, struct cip_way way)
{
	struct build b = { .p = p, .way = way };

	return build_add(&b, code);
}

/* Reads service, length of the path in words, and path; the rest of *b is the data. */
static bool read_head(struct bytes *b, struct cip_request *ret)
{
	struct bytes path;
	uint8_t words;
	uint16_t class;

	*ret = (struct cip_request){ 0 };
	bytes_u8(b, &ret->service);
	bytes_u8(b, &words);
	if (!bytes_take(b, 2u * (size_t)words, &path) || ret->service == 0 || ret->service >= CIP_REPLY)
		return false;
	ret->code = ret->service;
	if (!enip_path_request(path, &ret->path))
		return false;
	/* A tag counts as an instance of class symbol. */
	class = ret->path.n_objects > 0 ? ret->path.objects[ret->path.n_objects - 1u].class : CLASS_SYMBOL;
	ret->code = cip_code(class, ret->service);
	ret->data = *b;
	bytes_skip(b, b->left);
	return true;
}

static bool goes_to(const struct cip_request *r, uint16_t class)
{
	const struct enip_object *o = &r->path.objects[0];

	return r->path.n_objects == 1 && !r->path.has_tag && o->class == class && o->has_instance && o->instance == 1 &&
	       !o->has_attribute;
}

/*
 * Reads a Multiple Service Packet. Offsets, counted from the field with the number of parts, say
 * where each part begins; a part ends where the next one begins. The parts must cover all bytes and
 * not overlap, so that no server finds another request by the offsets.
 */
static bool read_several(struct build *b, const struct cip_request *r, struct cip_asked *ret)
{
	struct bytes offsets = r->data, parts = r->data, part;
	struct cip_asked inner = { 0 };
	uint16_t n, at, next, bound;

	if (!bytes_le16(&offsets, &n) || n == 0 || n > PARTS_MAX_OF_PACKET ||
	    !bytes_skip(&parts, 2u + 2u * (size_t)n) || !bytes_le16(&offsets, &at) || at != 2u + 2u * n)
		return false;
	ret->parts = (uint8_t)n;
	for (uint32_t i = 0; i < n; i++, at = next) {
		next = (uint16_t)r->data.left;
		if (i + 1u < n)
			bytes_le16(&offsets, &next);
		if (next <= at || r->data.left > UINT16_MAX || !bytes_take(&parts, (size_t)(next - at), &part))
			return false;
		b->group++;
		ret->digest = cip_digest(ret->digest, part.p[0]);
		if (!read_one(b, part, LEVEL_PART, &inner))
			return false;
		bound = inner.empty ? CIP_EMPTY : inner.elements;
		memcpy(b->p->joined + i * sizeof(bound), &bound, sizeof(bound));
		if (inner.elements > ret->elements)
			ret->elements = inner.elements;
	}
	return bytes_done(&parts);
}

/* Reads an Unconnected Send: priority and time; the embedded request with its length, padded to
 * words; the route to its target. */
static bool read_sent_on(struct build *b, const struct cip_request *r, struct cip_asked *ret)
{
	struct bytes data = r->data, message, route;
	struct enip_path way;
	uint16_t n;
	uint8_t words, zero = 0;

	bytes_skip(&data, 2);
	bytes_le16(&data, &n);
	bytes_take(&data, n, &message);
	if ((n & 1u) != 0)
		bytes_u8(&data, &zero);
	bytes_u8(&data, &words);
	if (data.failed || zero != 0 || !bytes_u8(&data, &zero) || zero != 0 ||
	    !bytes_take(&data, 2u * (size_t)words, &route) || !bytes_done(&data) || !enip_path_route(route, &way))
		return false;
	/* The route begins at the device that the connection reaches, which makes one more hop. */
	b->way.far = b->way.far || way.far || (b->way.route != 0 && way.route != 0);
	b->way.route = way.route != 0 ? way.route : b->way.route;
	ret->sent_on = true;
	return read_one(b, message, LEVEL_ROUTED, ret);
}

static bool succeeds_empty(uint32_t code)
{
	const struct function_info *f = function_by_code(&vocabulary_enip, code);

	return code == 0x10u || code == 0x06u || code == 0x07u ||
	       (f != NULL && code >> 8 == CLASS_SYMBOL && (f->classes & CLASS_WRITE) != 0);
}

/* How many elements of a tag are asked for, fragmented or not. */
static uint16_t elements_of(const struct cip_request *r)
{
	struct bytes data = r->data;
	uint16_t n = 0;

	if (r->code == ENIP_OF_CLASS(CLASS_SYMBOL, 0x4c) || r->code == ENIP_OF_CLASS(CLASS_SYMBOL, 0x52))
		bytes_le16(&data, &n);
	return n < CIP_EMPTY ? n : CIP_EMPTY - 1u; /* no message has so many */
}

static bool read_one(struct build *b, struct bytes message, enum level level, struct cip_asked *ret)
{
	bool sent_on = ret->sent_on, known = true, good = true;
	struct cip_request r;
	struct operation *o;

	*ret = (struct cip_asked){ .sent_on = level == LEVEL_ROUTED && sent_on };
	if (!read_head(&message, &r)) {
		build_add(b, r.code);
		return false;
	}
	ret->service = r.service;
	ret->empty = succeeds_empty(r.code);
	ret->elements = elements_of(&r);
	if (r.service == SERVICE_MULTIPLE && goes_to(&r, CLASS_MESSAGE_ROUTER))
		good = level != LEVEL_PART && read_several(b, &r, ret);
	else if (r.code == ENIP_OF_CLASS(CLASS_CONNECTION_MANAGER, SERVICE_UNCONNECTED_SEND))
		good = level == LEVEL_OUTER && goes_to(&r, CLASS_CONNECTION_MANAGER) && read_sent_on(b, &r, ret);
	else if (r.code == ENIP_OF_CLASS(CLASS_CONNECTION_MANAGER, SERVICE_FORWARD_OPEN) ||
		 r.code == ENIP_OF_CLASS(CLASS_CONNECTION_MANAGER, SERVICE_LARGE_FORWARD_OPEN))
		good = level == LEVEL_OUTER && goes_to(&r, CLASS_CONNECTION_MANAGER) && build_opening(b, &r, ret);
	else if (r.code == ENIP_OF_CLASS(CLASS_CONNECTION_MANAGER, SERVICE_FORWARD_CLOSE))
		good = level == LEVEL_OUTER && goes_to(&r, CLASS_CONNECTION_MANAGER) && build_closing(b, &r, ret);
	else if (r.code == ENIP_OF_CLASS(CLASS_PCCC, 0x4b))
		good = build_pccc(b, &r);
	else
		known = false;
	if (!known)
		good = build_request(b, &r);
	if (!good && b->p->n == 0 && (o = build_add(b, r.code)) != NULL)
		build_place(o, &r.path.objects[0], 0, UINT16_MAX);
	return good;
}

void cip_parse(struct bytes message, struct cip_way way, struct parsed *p, struct cip_asked *ret)
{
	struct build b = { .p = p, .way = way };
	bool good;

	*ret = (struct cip_asked){ 0 };
	good = read_one(&b, message, LEVEL_OUTER, ret);
	p->wrong = !good ? R_ENIP_FRAME : b.crowded ? R_ENIP_MANY : R_ALLOWED;
}

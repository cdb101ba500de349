/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/enip/cip.h"

/* Kinds of segments, by the top three bits; and some whole ones. */
#define KIND(type) ((type) >> 5)
#define KIND_PORT 0u
#define KIND_LOGICAL 1u
#define KIND_NETWORK 2u
#define SIMPLE_DATA 0x80u
#define SYMBOL 0x91u
#define ELECTRONIC_KEY 0x34u

/* Types of a logical segment: bits 2 to 4. */
#define LOGICAL_CLASS 0u
#define LOGICAL_INSTANCE 1u
#define LOGICAL_MEMBER 2u
#define LOGICAL_POINT 3u
#define LOGICAL_ATTRIBUTE 4u

#define PORT_EXTENDED_LINK 0x10u
#define PORT_EXTENDED 15u

/* The segments that a path of one purpose may contain. */
struct grammar {
	bool hops, objects, extras;
};

/* A path being read. */
struct reader {
	struct enip_path *path;
	struct tag_digest name;
	char *spelled; /* room for the name; NULL: not wanted */
	bool hop;      /* at least one hop was read */
	/* the symbol was named by its instance, so only members and elements may follow */
	bool member;
};

static bool skip_pad(struct bytes *b)
{
	uint8_t zero;

	return bytes_u8(b, &zero) && zero == 0;
}

static bool read_number(struct bytes *b, uint8_t type, uint32_t *ret)
{
	uint16_t half;
	uint8_t byte;

	switch (type & 3u) {
	case 0:
		bytes_u8(b, &byte);
		*ret = byte;
		return !b->failed;
	case 1:
		skip_pad(b);
		bytes_le16(b, &half);
		*ret = half;
		return !b->failed;
	case 2:
		skip_pad(b);
		bytes_le32(b, ret);
		return !b->failed;
	default:
		return false;
	}
}

static bool read_logical(struct reader *r, uint8_t type, struct bytes *b)
{
	struct enip_path *p = r->path;
	struct enip_object *last = p->n_objects > 0 ? &p->objects[p->n_objects - 1u] : NULL;
	const struct bytes before = *b;
	uint32_t n;

	if (!read_number(b, type, &n) || ((type & 3u) != 0 && before.p[0] != 0) ||
	    (r->member && ((type >> 2) & 7u) != LOGICAL_MEMBER))
		return false;
	switch ((type >> 2) & 7u) {
	case LOGICAL_CLASS:
		if ((type & 3u) == 2 || p->n_objects == PATH_OBJECTS || p->n_points > 0)
			return false;
		p->objects[p->n_objects++] = (struct enip_object){ .class = (uint16_t)n };
		return true;
	case LOGICAL_INSTANCE:
		if (last == NULL || last->has_instance)
			return false;
		last->has_instance = true;
		last->instance = n;
		return true;
	case LOGICAL_ATTRIBUTE:
		if (last == NULL || last->has_attribute || (type & 3u) == 2)
			return false;
		last->has_attribute = true;
		last->attribute = (uint16_t)n;
		return true;
	case LOGICAL_MEMBER: /* a member of what was named */
		return last != NULL || p->has_tag;
	case LOGICAL_POINT:
		if (last == NULL || p->n_points == PATH_POINTS)
			return false;
		p->points[p->n_points++] = n;
		return true;
	default:
		return false;
	}
}

/* Members of a structure have names also where the tag itself is named by its instance
 * (Rockwell 1756-PM020). */
static bool is_symbol(const struct enip_path *p)
{
	return p->n_objects == 1 && p->objects[0].class == CLASS_SYMBOL && p->objects[0].has_instance &&
	       p->objects[0].instance != 0 && !p->objects[0].has_attribute && p->n_points == 0;
}

static bool add_character(struct reader *r, uint8_t c)
{
	if (r->spelled != NULL && r->name.n < TAG_MAX)
		r->spelled[r->name.n] = (char)c;
	return tag_add(&r->name, c);
}

/* Reads one more part of a tag's name. The name so far contains the new part. */
static bool read_symbol(struct reader *r, struct bytes *b)
{
	struct enip_path *p = r->path;
	struct bytes name;
	uint8_t n, c;

	if (p->n_objects > 0 && !r->member && (p->has_tag || !is_symbol(p)))
		return false;
	r->member = p->n_objects > 0;
	if (!bytes_u8(b, &n) || n == 0 || !bytes_take(b, n, &name) || ((n & 1u) != 0 && !skip_pad(b)))
		return false;
	if (p->has_tag && !add_character(r, '.'))
		return false;
	while (name.left > 0 && bytes_u8(&name, &c))
		if (!add_character(r, c))
			return false;
	p->has_tag = true;
	return true;
}

/* Reads a hop: type with the port number; the number itself when it is large; the link number, or
 * its length and text. */
static bool read_hop(struct reader *r, uint8_t type, struct bytes *b)
{
	struct enip_path *p = r->path;
	uint16_t port = type & 15u;
	uint8_t n = 1, link = 0;
	bool extended = (type & PORT_EXTENDED_LINK) != 0;

	if (p->n_objects > 0 || p->has_tag || port == 0)
		return false;
	if (extended)
		bytes_u8(b, &n);
	if (port == PORT_EXTENDED)
		bytes_le16(b, &port);
	if (extended)
		bytes_skip(b, n);
	else
		bytes_u8(b, &link);
	if (extended && (n & 1u) != 0)
		skip_pad(b);
	if (b->failed || n == 0 || port == 0)
		return false;
	p->far = p->far || r->hop || extended || port > UINT8_MAX;
	p->route = p->far ? p->route : port * 256u + link;
	r->hop = true;
	return true;
}

/* Reads segments that only the path of a connection has: an electronic key, times, and
 * configuration data. */
static bool read_extra(struct reader *r, uint8_t type, struct bytes *b)
{
	uint8_t n;

	if (type == ELECTRONIC_KEY)
		return bytes_u8(b, &n) && n == 4 && bytes_skip(b, 8);
	if (KIND(type) == KIND_NETWORK && type < 0x50)
		return bytes_skip(b, 1);
	if (type == SIMPLE_DATA || KIND(type) == KIND_NETWORK) {
		r->path->config = r->path->config || type == SIMPLE_DATA;
		return bytes_u8(b, &n) && bytes_skip(b, 2u * (size_t)n);
	}
	return false;
}

static bool read_path(struct bytes b, struct grammar may, struct enip_path *ret, char *spelled)
{
	struct reader r = { .path = ret, .spelled = spelled };
	uint8_t type;

	*ret = (struct enip_path){ .whole = b };
	tag_begin(&r.name);
	while (b.left > 0) {
		bool good = false;

		if (!bytes_u8(&b, &type))
			return false;
		if (KIND(type) == KIND_PORT)
			good = may.hops && read_hop(&r, type, &b);
		else if (type == SYMBOL)
			good = may.objects && read_symbol(&r, &b);
		else if (may.extras && (type == ELECTRONIC_KEY || KIND(type) != KIND_LOGICAL))
			good = read_extra(&r, type, &b);
		else if (KIND(type) == KIND_LOGICAL)
			good = may.objects && read_logical(&r, type, &b);
		if (!good)
			return false;
	}
	ret->tag = tag_end(&r.name, ret->within, &ret->n_within);
	if (spelled != NULL)
		spelled[r.name.n] = '\0';
	return bytes_done(&b) && (!ret->has_tag || tag_is_whole(&r.name));
}

bool enip_path_request(struct bytes b, struct enip_path *ret)
{
	return read_path(b, (struct grammar){ .objects = true }, ret, NULL) && (ret->n_objects > 0 || ret->has_tag) &&
	       ret->n_points == 0;
}

bool enip_path_connection(struct bytes b, struct enip_path *ret)
{
	return read_path(b, (struct grammar){ .hops = true, .objects = true, .extras = true }, ret, NULL) &&
	       (ret->n_objects > 0 || ret->has_tag);
}

bool enip_path_route(struct bytes b, struct enip_path *ret)
{
	return read_path(b, (struct grammar){ .hops = true }, ret, NULL);
}

bool enip_path_spell(struct bytes b, char out[TAG_MAX + 1u])
{
	struct enip_path path;

	return read_path(b, (struct grammar){ .hops = true, .objects = true, .extras = true }, &path, out) &&
	       path.has_tag;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Forward Open and Forward Close: the connections, their targets and their purposes. */
#include "dpi/enip/cip.h"

#define MULTIPLIER_MAX 7u

/* The parameters of one direction in a Forward Open: 16 bits, or 32 bits in a Large
 * Forward Open. */
struct direction_parameters {
	uint16_t size; /* bytes of one message */
	bool none;     /* there are no data in this direction */
};

static bool read_direction(struct bytes *b, bool large, struct direction_parameters *ret)
{
	uint32_t interval, wide;
	uint16_t narrow;

	bytes_le32(b, &interval);
	if (large) {
		bytes_le32(b, &wide);
		ret->size = (uint16_t)wide;
		ret->none = (wide >> 29 & 3u) == 0;
	} else {
		bytes_le16(b, &narrow);
		ret->size = (uint16_t)(narrow & 0x1ffu);
		ret->none = (narrow >> 13 & 3u) == 0;
	}
	return !b->failed;
}

static bool read_opener(struct bytes *b, struct enip_opener *ret)
{
	bytes_le16(b, &ret->connection);
	bytes_le16(b, &ret->vendor);
	bytes_le32(b, &ret->serial);
	return !b->failed;
}

static bool is_to_router(const struct enip_path *p)
{
	return !p->has_tag && p->n_objects == 1 && p->n_points == 0 && !p->config &&
	       p->objects[0].class == CLASS_MESSAGE_ROUTER && p->objects[0].has_instance &&
	       p->objects[0].instance == 1 && !p->objects[0].has_attribute;
}

/* Adds the objects and the tag of a connection that does not carry requests. `tells`: it may write
 * to them. */
static void touch_points(struct build *b, const struct enip_path *p, uint32_t code, bool tells)
{
	struct operation *o;

	for (uint8_t i = 0; i < p->n_objects; i++) {
		if ((o = build_add(b, code)) == NULL)
			return;
		build_place(o, &p->objects[i], 0, UINT16_MAX);
		o->values.form = tells ? VALUES_UNKNOWN : VALUES_NONE;
	}
	for (uint8_t i = 0; i < p->n_points && p->n_objects > 0; i++) {
		struct enip_object point = p->objects[p->n_objects - 1u];

		point.instance = p->points[i];
		point.has_instance = true;
		if ((o = build_add(b, code)) == NULL)
			return;
		build_place(o, &point, 0, UINT16_MAX);
		o->values.form = tells ? VALUES_UNKNOWN : VALUES_NONE;
	}
	if (p->has_tag && (o = build_add(b, code)) != NULL) {
		build_place_tag(o, p);
		o->values.form = tells ? VALUES_UNKNOWN : VALUES_NONE;
	}
}

static void go_the_way(struct build *b, const struct enip_path *p)
{
	b->way.far = b->way.far || p->far || (b->way.route != 0 && p->route != 0);
	b->way.route = p->route != 0 ? p->route : b->way.route;
}

bool build_opening(struct build *b, const struct cip_request *r, struct cip_asked *ret)
{
	bool large = r->service == SERVICE_LARGE_FORWARD_OPEN, tells;
	struct enip_opening *opening = &ret->opening;
	struct direction_parameters out = { 0 }, in = { 0 };
	struct bytes data = r->data, path;
	struct enip_path to;
	uint8_t multiplier, transport, words;
	struct operation *o;
	uint32_t id;

	ret->kind = CIP_OPENS;
	bytes_skip(&data, 2);	/* priority and time */
	bytes_le32(&data, &id); /* chosen by the target */
	bytes_le32(&data, &opening->id);
	read_opener(&data, &opening->opener);
	bytes_u8(&data, &multiplier);
	/* reserved: not read by devices, and not initialised by RSLinx */
	bytes_skip(&data, 3);
	read_direction(&data, large, &out);
	read_direction(&data, large, &in);
	bytes_u8(&data, &transport);
	bytes_u8(&data, &words);
	if (data.failed || !bytes_take(&data, 2u * (size_t)words, &path) || !bytes_done(&data) ||
	    !enip_path_connection(path, &to))
		return false;
	go_the_way(b, &to);
	opening->route = b->way.route;
	opening->far = b->way.far;
	if ((transport & 15u) == 3 && is_to_router(&to)) {
		opening->transport = TRANSPORT_REQUESTS;
		o = build_add(b, r->code);
		if (o != NULL)
			o->setup = true;
		return true;
	}
	if ((transport & 15u) > 1) {
		opening->transport = TRANSPORT_OTHER;
		touch_points(b, &to, ENIP_OPEN_OTHER, true);
		return true;
	}
	opening->transport = TRANSPORT_IO;
	opening->multiplier = multiplier < MULTIPLIER_MAX ? multiplier : MULTIPLIER_MAX;
	opening->sends[DIR_C2S] = !out.none;
	opening->sends[DIR_S2C] = !in.none;
	opening->bytes[DIR_C2S] = out.size;
	opening->bytes[DIR_S2C] = in.size;
	tells = to.config || (!out.none && out.size > ((transport & 15u) == 1 ? 2u : 0u));
	touch_points(b, &to, tells ? ENIP_OPEN_OUTPUT : ENIP_OPEN_INPUT, tells);
	return true;
}

bool build_closing(struct build *b, const struct cip_request *r, struct cip_asked *ret)
{
	struct bytes data = r->data, path;
	struct enip_path to;
	uint8_t words, zero;
	struct operation *o;

	ret->kind = CIP_CLOSES;
	bytes_skip(&data, 2);
	read_opener(&data, &ret->opening.opener);
	bytes_u8(&data, &words);
	bytes_u8(&data, &zero);
	if (data.failed || zero != 0 || !bytes_take(&data, 2u * (size_t)words, &path) || !bytes_done(&data) ||
	    !enip_path_connection(path, &to))
		return false;
	go_the_way(b, &to);
	o = build_add(b, r->code);
	if (o != NULL)
		build_place(o, &r->path.objects[0], 0, UINT16_MAX);
	return true;
}

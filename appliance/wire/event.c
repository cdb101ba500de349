/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"

/*
 * The encoding is canonical: each record has one encoding, and decoding and encoding again gives
 * the same bytes. The journal chains hashes over these bytes, and a second encoding of the same
 * record would be a change that nobody notices.
 */

static void put_addr(struct outbuf *o, const struct addr *a)
{
	uint8_t b[16] = { 0 };

	memcpy(b, a->b, addr_len(a->family));
	out_bytes(o, b, sizeof(b));
}

static bool get_addr(struct bytes *b, uint8_t family, struct addr *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->family = family;
	if (!bytes_copy(b, ret->b, sizeof(ret->b)))
		return false;
	for (size_t i = addr_len(family); i < sizeof(ret->b); i++)
		if (ret->b[i] != 0)
			return false;
	return true;
}

static bool is_silent(const struct event *e)
{
	for (unsigned i = 0; i < EVENT_TEXTS; i++)
		if (e->text[i][0] != 0)
			return false;
	return true;
}

static void put_texts(struct outbuf *o, const struct event *e)
{
	if (is_silent(e))
		return;
	for (unsigned i = 0; i < EVENT_TEXTS; i++) {
		size_t n = strnlen(e->text[i], EVENT_TEXT - 1);

		out_u8(o, (uint8_t)n);
		out_bytes(o, e->text[i], n);
	}
}

static bool get_texts(struct bytes *b, struct event *e)
{
	if (b->left == 0)
		return true;
	for (unsigned i = 0; i < EVENT_TEXTS; i++) {
		uint8_t n;

		if (!bytes_u8(b, &n) || n >= EVENT_TEXT || !bytes_copy(b, e->text[i], n) || strlen(e->text[i]) != n)
			return false;
	}
	return bytes_done(b) && !is_silent(e);
}

/* how many numbers a limit has */
#define LIMIT_NUMBERS (2u + 2u * LIMIT_RANGES)

static uint64_t *limit_number(struct limit *l, unsigned i)
{
	if (i < 2)
		return i == 0 ? &l->at : &l->wrote;
	return i % 2 == 0 ? &l->allowed[i / 2 - 1].lo : &l->allowed[i / 2 - 1].hi;
}

/* Writes 32 bits of each number, from bit `shift` on. */
static void put_limit_numbers(struct limit l, unsigned shift, struct outbuf *o)
{
	for (unsigned i = 0; i < LIMIT_NUMBERS; i++)
		out_be32(o, (uint32_t)(*limit_number(&l, i) >> shift));
}

static void get_limit_numbers(struct bytes *b, unsigned shift, struct limit *l)
{
	for (unsigned i = 0; i < LIMIT_NUMBERS; i++) {
		uint32_t v;

		bytes_be32(b, &v);
		*limit_number(l, i) |= (uint64_t)v << shift;
	}
}

/*
 * The upper 32 bits of numbers that once had 32 bits. They are zero in records of older releases
 * and of protocols with small numbers, so that all records have the same form.
 */
static void put_high(struct outbuf *o, const struct event *e)
{
	out_be32(o, e->targets[0] >> 8);
	out_be32(o, e->function >> 8);
	out_be32(o, (uint32_t)(e->address >> 32));
	put_limit_numbers(e->limit, 32, o);
	for (unsigned i = 1; i < TARGET_MAX; i++)
		out_be32(o, e->targets[i]);
}

static bool get_high(struct bytes *b, struct event *e)
{
	uint32_t unit, function, address;

	bytes_be32(b, &unit);
	bytes_be32(b, &function);
	bytes_be32(b, &address);
	e->targets[0] |= unit << 8;
	e->function |= function << 8;
	e->address |= (uint64_t)address << 32;
	get_limit_numbers(b, 32, &e->limit);
	for (unsigned i = 1; i < TARGET_MAX; i++)
		bytes_be32(b, &e->targets[i]);
	return !b->failed && unit <= UINT32_MAX >> 8 && function <= UINT32_MAX >> 8;
}

size_t event_encode(const struct event *e, uint8_t out[EVENT_WIRE_MAX])
{
	struct outbuf o = outbuf_of(out, EVENT_WIRE_MAX);

	memset(out, 0, EVENT_WIRE);
	out_be64(&o, e->wall_ns);
	out_u8(&o, e->kind);
	out_u8(&o, e->verdict);
	out_be16(&o, e->reason);
	out_be32(&o, e->permit);
	out_be32(&o, e->conduit);
	out_be32(&o, e->line);
	out_u8(&o, e->client.family);
	out_u8(&o, e->server.family);
	out_u8(&o, e->l4proto);
	out_u8(&o, e->s2c);
	put_addr(&o, &e->client);
	put_addr(&o, &e->server);
	out_be16(&o, e->client_port);
	out_be16(&o, e->server_port);
	out_be16(&o, e->protocol);
	out_u8(&o, (uint8_t)e->targets[0]);
	out_u8(&o, (uint8_t)e->function);
	out_u8(&o, e->space);
	out_u8(&o, e->code);
	out_be32(&o, e->iif);
	out_be32(&o, (uint32_t)e->address);
	out_be32(&o, e->quantity);
	out_be64(&o, e->count);
	out_be64(&o, e->value);
	event_generation_put(&o, e->generation);
	out_be32(&o, e->row.file);
	out_be32(&o, e->row.line);
	out_u8(&o, e->limit.what);
	out_u8(&o, e->limit.n);
	put_limit_numbers(e->limit, 0, &o);
	put_high(&o, e);
	o.len = EVENT_WIRE;
	put_texts(&o, e);
	return o.len;
}

static bool family_known(uint8_t family)
{
	return family == 0 || family == 4 || family == 6;
}

bool event_decode(struct bytes b, struct event *ret)
{
	struct event e;
	struct bytes head;
	uint8_t client_family, server_family, unit, function, pad;
	uint32_t address;

	memset(&e, 0, sizeof(e));
	memset(ret, 0, sizeof(*ret));
	if (b.failed || !bytes_take(&b, EVENT_WIRE, &head))
		return false;
	bytes_be64(&head, &e.wall_ns);
	bytes_u8(&head, &e.kind);
	bytes_u8(&head, &e.verdict);
	bytes_be16(&head, &e.reason);
	bytes_be32(&head, &e.permit);
	bytes_be32(&head, &e.conduit);
	bytes_be32(&head, &e.line);
	bytes_u8(&head, &client_family);
	bytes_u8(&head, &server_family);
	bytes_u8(&head, &e.l4proto);
	bytes_u8(&head, &e.s2c);
	if (!family_known(client_family) || !family_known(server_family))
		return false;
	if (!get_addr(&head, client_family, &e.client) || !get_addr(&head, server_family, &e.server))
		return false;
	bytes_be16(&head, &e.client_port);
	bytes_be16(&head, &e.server_port);
	bytes_be16(&head, &e.protocol);
	bytes_u8(&head, &unit);
	bytes_u8(&head, &function);
	e.targets[0] = unit;
	e.function = function;
	bytes_u8(&head, &e.space);
	bytes_u8(&head, &e.code);
	bytes_be32(&head, &e.iif);
	bytes_be32(&head, &address);
	e.address = address;
	bytes_be32(&head, &e.quantity);
	bytes_be64(&head, &e.count);
	bytes_be64(&head, &e.value);
	event_generation_get(&head, &e.generation);
	bytes_be32(&head, &e.row.file);
	bytes_be32(&head, &e.row.line);
	bytes_u8(&head, &e.limit.what);
	bytes_u8(&head, &e.limit.n);
	get_limit_numbers(&head, 0, &e.limit);
	if (e.limit.what >= LIMIT_WHAT_COUNT || !get_high(&head, &e) || !get_texts(&b, &e))
		return false;
	while (head.left > 0)
		if (!bytes_u8(&head, &pad) || pad != 0)
			return false;
	if (head.failed || e.kind == EVENT_NONE || e.kind >= EVENT_KIND_COUNT || e.verdict >= EVENT_VERDICT_COUNT ||
	    e.reason >= REASON_COUNT || e.s2c > 1 || (e.protocol != PROTO_NONE && !protocol_known(e.protocol)))
		return false;
	*ret = e;
	return true;
}

struct event_generation event_generation(uint64_t number, const uint8_t digest[32])
{
	struct event_generation g = { .number = (uint32_t)number };
	struct bytes b = bytes_of(digest, 32);

	bytes_be64(&b, &g.digest);
	return g;
}

static bool put_on_wire(int fd, const struct event *e)
{
	uint8_t wire[EVENT_WIRE_MAX];
	size_t size;
	ssize_t n;

	if (fd < 0)
		return false;
	size = event_encode(e, wire);
	do
		n = send(fd, wire, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size;
}

struct event event_new(enum event_kind kind, uint64_t wall_ns)
{
	return (struct event){
		.wall_ns = wall_ns, .kind = (uint8_t)kind, .conduit = EVENT_NO_CONDUIT, .space = 255, .count = 1
	};
}

void event_say(struct event *e, enum event_text which, const char *text)
{
	size_t n = strlen(text);

	if (n > EVENT_TEXT - 1) {
		n = EVENT_TEXT - 1;
		while (n > 0 && ((unsigned char)text[n] & 0xc0u) == 0x80u)
			n--;
	}
	memset(e->text[which], 0, EVENT_TEXT);
	memcpy(e->text[which], text, n);
}

static bool event_put(const struct event_port *p, const struct event *e)
{
	struct event stamped = *e;

	if (e->generation.number != 0 || p->now.number == 0)
		return put_on_wire(p->fd, e);
	stamped.generation = p->now;
	return put_on_wire(p->fd, &stamped);
}

void event_send(struct event_port *p, const struct event *e)
{
	if (p->lost > 0) {
		/* The gap is sent before the next record, so that records stay in their true
		 * order. */
		struct event gap = event_new(EVENT_LOST, e->wall_ns);

		gap.count = p->lost;
		if (!event_put(p, &gap)) {
			p->lost++;
			return;
		}
		p->lost = 0;
	}
	if (!event_put(p, e))
		p->lost++;
}

void event_mac_text(uint64_t value, char out[MAC_TEXT])
{
	snprintf(out, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(value >> 40 & 255u),
		 (unsigned)(value >> 32 & 255u), (unsigned)(value >> 24 & 255u), (unsigned)(value >> 16 & 255u),
		 (unsigned)(value >> 8 & 255u), (unsigned)(value & 255u));
}

const char *device_state_word(unsigned state)
{
	static const char *const words[DEVICE_STATES] = {
#define STATE(id, word) [id] = (word),
#include "appliance/wire/device_state.def"
	};

	return state < DEVICE_STATES ? words[state] : "unknown";
}

bool event_device_ordered(const struct event *e)
{
	return e->kind == EVENT_DEVICE && (e->code == DEVICE_ACCEPTED || e->code == DEVICE_FORGOTTEN ||
					   e->code == DEVICE_ACCEPTED_UNSURE || e->code == DEVICE_FORGOTTEN_UNSURE);
}

const char *device_anew_word(unsigned why)
{
	static const char *const words[DEVICES_ANEW] = {
#define ANEW(id, word) [id] = (word),
#include "appliance/wire/device_anew.def"
	};

	return why < DEVICES_ANEW ? words[why] : NULL;
}

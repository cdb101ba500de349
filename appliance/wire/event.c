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
 * Each record has one encoding: what decodes, and is encoded again, has the same bytes. So no
 * sender can hide anything in bytes that nobody reads.
 */

/* What a record has before its texts, in the order of the wire. */
#define FIELDS(FIELD)                                                                                                  \
	FIELD(be64, wall_ns)                                                                                           \
	FIELD(u8, kind)                                                                                                \
	FIELD(u8, verdict)                                                                                             \
	FIELD(be16, reason)                                                                                            \
	FIELD(be32, permit)                                                                                            \
	FIELD(be32, conduit)                                                                                           \
	FIELD(be32, line)                                                                                              \
	FIELD(addr, client)                                                                                            \
	FIELD(addr, server)                                                                                            \
	FIELD(be16, client_port)                                                                                       \
	FIELD(be16, server_port)                                                                                       \
	FIELD(u8, l4proto)                                                                                             \
	FIELD(u8, s2c)                                                                                                 \
	FIELD(be16, protocol)                                                                                          \
	FIELD(be32, iif)                                                                                               \
	FIELD(be32, targets[0])                                                                                        \
	FIELD(be32, targets[1])                                                                                        \
	FIELD(be32, targets[2])                                                                                        \
	FIELD(be32, targets[3])                                                                                        \
	FIELD(be32, function)                                                                                          \
	FIELD(u8, space)                                                                                               \
	FIELD(u8, code)                                                                                                \
	FIELD(be64, address)                                                                                           \
	FIELD(be32, quantity)                                                                                          \
	FIELD(be64, count)                                                                                             \
	FIELD(be64, value)                                                                                             \
	FIELD(be32, generation.number)                                                                                 \
	FIELD(be64, generation.digest)                                                                                 \
	FIELD(be32, row.file)                                                                                          \
	FIELD(be32, row.line)                                                                                          \
	FIELD(u8, limit.what)                                                                                          \
	FIELD(u8, limit.n)                                                                                             \
	FIELD(be64, limit.at)                                                                                          \
	FIELD(be64, limit.wrote)                                                                                       \
	FIELD(be64, limit.allowed[0].lo)                                                                               \
	FIELD(be64, limit.allowed[0].hi)                                                                               \
	FIELD(be64, limit.allowed[1].lo)                                                                               \
	FIELD(be64, limit.allowed[1].hi)
_Static_assert(TARGET_MAX == 4 && LIMIT_RANGES == 2, "FIELDS names each element");

static void out_addr(struct outbuf *o, struct addr a)
{
	uint8_t b[16] = { 0 };

	memcpy(b, a.b, addr_len(a.family));
	out_u8(o, a.family);
	out_bytes(o, b, sizeof(b));
}

static void bytes_addr(struct bytes *b, struct addr *ret)
{
	bytes_u8(b, &ret->family);
	bytes_copy(b, ret->b, sizeof(ret->b));
	if (ret->family != 0 && ret->family != 4 && ret->family != 6)
		b->failed = true;
	for (size_t i = addr_len(ret->family); i < sizeof(ret->b); i++)
		if (ret->b[i] != 0)
			b->failed = true;
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

size_t event_encode(const struct event *e, uint8_t out[EVENT_WIRE_MAX])
{
	struct outbuf o = outbuf_of(out, EVENT_WIRE_MAX);

	memset(out, 0, EVENT_WIRE);
#define PUT(how, member) out_##how(&o, e->member);
	FIELDS(PUT)
	o.len = EVENT_WIRE;
	put_texts(&o, e);
	return o.len;
}

bool event_decode(struct bytes b, struct event *ret)
{
	struct event e;
	struct bytes head;
	uint8_t pad;

	memset(&e, 0, sizeof(e));
	memset(ret, 0, sizeof(*ret));
	if (!bytes_take(&b, EVENT_WIRE, &head))
		return false;
#define GET(how, member) bytes_##how(&head, &e.member);
	FIELDS(GET)
	while (head.left > 0)
		if (!bytes_u8(&head, &pad) || pad != 0)
			return false;
	if (head.failed || e.kind == EVENT_NONE || e.kind >= EVENT_KIND_COUNT || e.verdict >= EVENT_VERDICT_COUNT ||
	    e.reason >= REASON_COUNT || e.s2c > 1 || e.limit.what >= LIMIT_WHAT_COUNT ||
	    (e.protocol != PROTO_NONE && !protocol_known(e.protocol)) || !get_texts(&b, &e))
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

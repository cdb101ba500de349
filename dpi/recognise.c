/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recognises the protocol of the first bytes of a direction, by the forms of all protocols
 * (dpi/forms/, dpi/<name>/frame.c), and reads longer headers to their end where the first bytes
 * are not enough.
 */
#include <string.h>

#include "dpi/prefix.h"

enum recognition recognise(enum protocol p, enum direction dir, struct bytes head)
{
#define OWN(id, name) [PROTO_##id] = recognise_##name,
#define RECOGNISED(id, name, ...) OWN(id, name)
#define ENFORCED(id, name, ...) OWN(id, name)
#define EITHER(id, name, ...) OWN(id, name)
	static enum recognition (*const all[PROTO_COUNT])(enum direction, struct bytes) = {
#include "appliance/wire/protocols.def"
	};

	if (head.failed || (unsigned)p >= PROTO_COUNT || all[p] == NULL)
		return RECOGNISE_NOT;
	return head.left > 0 ? all[p](dir, head) : RECOGNISE_MORE;
}

bool recognise_datagram(enum protocol p, enum direction dir, struct bytes payload)
{
#define DATAGRAMS(id, name, ...) [PROTO_##id] = datagram_##name,
#define EITHER(id, name, ...) [PROTO_##id] = datagram_##name,
	static bool (*const all[PROTO_COUNT])(enum direction, struct bytes) = {
#include "appliance/wire/protocols.def"
	};

	return !payload.failed && payload.left > 0 && (unsigned)p < PROTO_COUNT && all[p] != NULL &&
	       all[p](dir, payload);
}

enum protocol recognise_any(enum direction dir, struct bytes head)
{
	for (unsigned brief = 0; brief < 2 && head.left > 0; brief++) {
		for (unsigned i = 1; i < PROTO_COUNT; i++) {
			enum protocol p = (enum protocol)i;

			/* A single answer byte of PostgreSQL says nothing by itself. */
			if (protocol_is(p, PROTO_BRIEF) == (brief > 0) && (p != PROTO_POSTGRESQL || head.left >= 8) &&
			    recognise(p, dir, head) == RECOGNISED)
				return p;
		}
	}
	return PROTO_NONE;
}

/* ---- heads that are read byte by byte ---- */

/* How many bytes of a version (" HTTP/1.1") have been read, up to and including `byte`. `at`: how
 * many had been read before `byte`. */
static uint32_t version_so_far(uint32_t at, uint8_t byte)
{
	static const char version[] = " HTTP/?.?";

	if (byte == ' ')
		return 1;
	if (at == 0 || at >= sizeof(version) - 1)
		return 0;
	if (version[at] == '?')
		return byte >= (at == 6 ? '1' : '0') && byte <= (at == 6 ? '2' : '9') ? at + 1 : 0;
	return byte == (uint8_t)version[at] ? at + 1 : 0;
}

static bool read_http(struct head *h, uint8_t byte)
{
	if (byte == 0 || (byte == '\n') != (h->last == '\r'))
		return false;
	/* an empty line before the request */
	if ((h->n == 0 && byte == '\r') || (h->n == 1 && byte == '\n'))
		return true;
	if (byte == '\n' && !h->lines && h->at != sizeof(" HTTP/1.1") - 1)
		return false;
	if (!h->lines && byte != '\r')
		h->at = version_so_far(h->at, byte);
	h->whole = byte == '\n' && !h->on_line;
	h->lines = h->lines || byte == '\n';
	h->on_line = byte != '\n' && (h->on_line || byte != '\r');
	return true;
}

/* `at`: how many bytes of "SSH-" and a version the line begins with; 100: it begins differently.
 * `on_line`: the version begins with 2. */
static bool read_ssh(struct head *h, uint8_t byte)
{
	static const char tag[] = "SSH-", *const versions[] = { "1.99-", "2.0-" };
	const char *version;

	if (!is_text(byte) && byte != '\r' && byte != '\n')
		return false;
	if (byte == '\n') {
		h->at = 0;
		return true;
	}
	if (h->at < sizeof(tag) - 1) {
		h->at = byte == (uint8_t)tag[h->at] ? h->at + 1 : 100;
		return true;
	}
	if (h->at >= 100)
		return true;
	if (h->at == sizeof(tag) - 1)
		h->on_line = byte == '2';
	version = versions[h->on_line];
	if (byte != (uint8_t)version[h->at - (sizeof(tag) - 1)])
		return false;
	h->at++;
	h->whole = version[h->at - (sizeof(tag) - 1)] == '\0';
	return true;
}

enum head_step recognise_head(enum protocol p, enum direction dir, struct head *h, struct bytes more)
{
	bool http = p == PROTO_HTTP && dir == DIR_C2S, ssh = p == PROTO_SSH && dir == DIR_S2C;
	uint8_t byte;

	h->whole = h->whole || (!http && !ssh);
	while (!h->whole && h->n <= HEAD_MAX && more.left > 0 && bytes_u8(&more, &byte)) {
		if (!(http ? read_http(h, byte) : read_ssh(h, byte)))
			h->n = HEAD_MAX;
		h->n++;
		h->last = byte;
	}
	if (h->n > HEAD_MAX)
		return HEAD_AMBIGUOUS;
	return h->whole ? HEAD_WHOLE : HEAD_GOES_ON;
}

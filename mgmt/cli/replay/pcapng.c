/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/replay/pcapng.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_INTERFACE 1u
#define BLOCK_OLD_PACKET 2u
#define BLOCK_SIMPLE 3u
#define BLOCK_PACKET 6u
#define BLOCK_MIN 12u
#define BLOCK_MAX (16u << 20)
#define INTERFACES_MAX 65536u

#define OPTION_END 0u
#define OPTION_RESOLUTION 9u
#define OPTION_OFFSET 14u

#define NS 1000000000u

struct interface {
	uint16_t link;
	uint32_t snaplen;    /* 0 = none */
	uint8_t resolution;  /* if_tsresol: powers of ten, or of two with the highest bit */
	uint64_t offset_sec; /* to be added to every time, modulo 2^64 */
};

struct pcapng {
	bool big; /* byte order of this section */
	bool section;
	struct interface *interfaces; /* owned; of this section */
	uint32_t n_interfaces, interfaces_room;
	uint8_t *block; /* owned */
	size_t block_room;
	uint64_t last_ns; /* for packets without a time */
};

struct pcapng *pcapng_new(void)
{
	return calloc(1, sizeof(struct pcapng));
}

void pcapng_free(struct pcapng *n)
{
	if (n == NULL)
		return;
	free(n->interfaces);
	free(n->block);
	free(n);
}

static bool get16(const struct pcapng *n, struct bytes *b, uint16_t *ret)
{
	return n->big ? bytes_be16(b, ret) : bytes_le16(b, ret);
}

static bool get32(const struct pcapng *n, struct bytes *b, uint32_t *ret)
{
	return n->big ? bytes_be32(b, ret) : bytes_le32(b, ret);
}

static bool block_room(struct pcapng *n, size_t size)
{
	uint8_t *more;

	if (size <= n->block_room)
		return true;
	more = realloc(n->block, size);
	if (more == NULL)
		return false;
	n->block = more;
	n->block_room = size;
	return true;
}

/* The byte order of a section stands behind its length, which can only be read with it. */
static bool section_order(struct pcapng *n, const uint8_t magic[4])
{
	static const uint8_t big[4] = { 0x1a, 0x2b, 0x3c, 0x4d }, little[4] = { 0x4d, 0x3c, 0x2b, 0x1a };

	n->big = memcmp(magic, big, sizeof(big)) == 0;
	n->section = n->big || memcmp(magic, little, sizeof(little)) == 0;
	n->n_interfaces = 0;
	return n->section;
}

/* One block: its type and what stands between its two lengths. */
static enum pcapng_step read_block(struct pcapng *n, FILE *from, uint32_t *ret_type, struct bytes *ret)
{
	uint8_t head[12];
	struct bytes b;
	uint32_t length, again;
	size_t got = fread(head, 1, sizeof(head), from), rest;

	if (got == 0)
		return ferror(from) ? PCAPNG_BAD : PCAPNG_END;
	if (got < sizeof(head))
		return PCAPNG_CUT;
	b = bytes_of(head, sizeof(head));
	bytes_be32(&b, ret_type);
	if (*ret_type == PCAPNG_SECTION ? !section_order(n, head + 8) : !n->section)
		return PCAPNG_BAD;
	b = bytes_of(head, sizeof(head));
	get32(n, &b, ret_type);
	get32(n, &b, &length);
	if (length < BLOCK_MIN || length > BLOCK_MAX || length % 4 != 0)
		return PCAPNG_BAD;
	/* Of the smallest block the twelve bytes end in the second length. */
	rest = length - sizeof(head);
	if (!block_room(n, length))
		return PCAPNG_ROOM;
	memcpy(n->block, head + 8, 4);
	if (fread(n->block + 4, 1, rest, from) != rest)
		return PCAPNG_CUT;
	b = bytes_of(n->block + rest, 4);
	get32(n, &b, &again);
	*ret = bytes_of(n->block, rest);
	return again == length ? PCAPNG_FRAME : PCAPNG_BAD;
}

static enum pcapng_step add_interface(struct pcapng *n, struct bytes b)
{
	struct interface in = { .resolution = 6 };
	uint16_t reserved, option, length;
	uint32_t high, low;
	struct bytes value;

	get16(n, &b, &in.link);
	get16(n, &b, &reserved);
	if (!get32(n, &b, &in.snaplen))
		return PCAPNG_BAD;
	while (b.left > 0) {
		get16(n, &b, &option);
		if (!get16(n, &b, &length) || !bytes_take(&b, length, &value))
			return PCAPNG_BAD;
		if (option == OPTION_END)
			break;
		if (option == OPTION_RESOLUTION && length == 1)
			bytes_u8(&value, &in.resolution);
		if (option == OPTION_OFFSET && length == 8) {
			get32(n, &value, n->big ? &high : &low);
			get32(n, &value, n->big ? &low : &high);
			in.offset_sec = (uint64_t)high << 32 | low;
		}
		bytes_skip(&b, (4u - length % 4u) % 4u);
	}
	if (n->n_interfaces == n->interfaces_room) {
		uint32_t room = n->interfaces_room ? n->interfaces_room * 2 : 4;
		struct interface *more = room <= INTERFACES_MAX ? realloc(n->interfaces, room * sizeof(*more)) : NULL;

		if (more == NULL)
			return PCAPNG_ROOM;
		n->interfaces = more;
		n->interfaces_room = room;
	}
	n->interfaces[n->n_interfaces++] = in;
	return PCAPNG_FRAME;
}

/* Units since 1970 to nanoseconds; what no clock says ends at the largest time. */
static uint64_t nanoseconds(const struct interface *in, uint64_t units)
{
	unsigned power = in->resolution & 0x7fu;
	uint64_t per = 1, sec, part;

	if (in->resolution & 0x80u) {
		sec = power < 64 ? units >> power : 0;
		part = power < 64 ? units & ((1ull << power) - 1u) : units;
		for (; power > 32; power--)
			part >>= 1; /* so that the product fits */
		part = part * NS >> power;
	} else {
		for (unsigned i = 0; i < power && i < 19; i++)
			per *= 10;
		sec = units / per;
		part = units % per;
		part = per <= NS ? part * (NS / per) : part / (per / NS);
	}
	sec += in->offset_sec;
	return sec < INT64_MAX / NS ? sec * NS + part : INT64_MAX;
}

/* Packet blocks of three kinds. *ret_packet: it was one. */
static enum pcapng_step packet(struct pcapng *n, uint32_t type, struct bytes b, struct pcapng_frame *ret,
			       bool *ret_packet)
{
	uint32_t index = 0, high = 0, low = 0, captured = 0, original = 0;
	uint16_t word, drops;
	const struct interface *in;

	*ret_packet = type == BLOCK_PACKET || type == BLOCK_OLD_PACKET || type == BLOCK_SIMPLE;
	if (!*ret_packet)
		return PCAPNG_FRAME;
	if (type == BLOCK_PACKET) {
		get32(n, &b, &index);
	} else if (type == BLOCK_OLD_PACKET) {
		get16(n, &b, &word);
		get16(n, &b, &drops);
		index = word;
	}
	if (type != BLOCK_SIMPLE) {
		get32(n, &b, &high);
		get32(n, &b, &low);
		get32(n, &b, &captured);
	}
	get32(n, &b, &original);
	if (b.failed || index >= n->n_interfaces)
		return PCAPNG_BAD;
	in = &n->interfaces[index];
	if (type == BLOCK_SIMPLE) {
		captured = in->snaplen != 0 && in->snaplen < original ? in->snaplen : original;
		if (captured > b.left)
			captured = (uint32_t)b.left;
	} else {
		n->last_ns = nanoseconds(in, (uint64_t)high << 32 | low);
	}
	*ret = (struct pcapng_frame){ .link = in->link, .wall_ns = n->last_ns, .cut = captured < original };
	return bytes_take(&b, captured, &ret->data) ? PCAPNG_FRAME : PCAPNG_BAD;
}

enum pcapng_step pcapng_next(struct pcapng *n, FILE *from, struct pcapng_frame *ret)
{
	for (;;) {
		struct bytes body;
		uint32_t type;
		bool done = false;
		enum pcapng_step s = read_block(n, from, &type, &body);

		if (s == PCAPNG_FRAME && type == BLOCK_INTERFACE)
			s = add_interface(n, body);
		else if (s == PCAPNG_FRAME)
			s = packet(n, type, body, ret, &done);
		if (s != PCAPNG_FRAME || done)
			return s;
	}
}

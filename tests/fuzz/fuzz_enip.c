/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EtherNet/IP enforcer: the first bytes are a policy; then come pieces of the streams of both
 * directions.
 * LINK: $(COMMANDS_PARTS) dpi/enip/%.c appliance/wire/tag.c
 * LIBS: nettle
 *
 * Input: 8 bytes of policy (services as two ranges, classes, routes, values; of the last byte, bit
 * 0: the session is met half-way; bit 1: the whole protocol; bit 6: datagrams), then pieces: one
 * byte whose top bit is the direction, two of length, the bytes. The target aborts when the framing
 * depends on how much more is there; when a request is allowed that this policy does not allow, by
 * a second reading; or when a datagram is allowed as one of an I/O connection although it has
 * another form, or although the box has not seen that connection opened.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dpi/enip_desk.h"

#define FUZZ_STREAM (2 * ENIP_PDU_MAX)
#include "tests/fuzz/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t le16(const uint8_t *p)
{
	return (uint32_t)(p[0] | p[1] << 8);
}

static void policy(struct desk *d, const uint8_t p[8])
{
	struct command_row *row = desk_row(d);

	row->services = wide(d, p[0], p[0] + (uint32_t)p[1]);
	wide(d, (uint64_t)p[2] << 8 | 0x32u, ((uint64_t)p[2] << 8 | 0x32u) + 4u * p[1]);
	if (d->ranges[0].hi < d->ranges[1].lo)
		row->services.n = 2;
	row->targets[0] = (p[7] & 4) != 0 ? wide(d, p[4], p[4] + 256u) : (struct number_set){ .any = true };
	if ((p[7] & 8) != 0)
		desk_space(d, row, ENIP_OBJECTS,
			   wide(d, place(p[3], 0, 0), place((uint16_t)(p[3] + (p[5] & 15)), 0, 0)));
	if ((p[7] & 16) != 0)
		row->values = wide(d, 0, p[6]);
	if ((p[7] & 2) != 0) {
		d->grants[0].whole = true;
		d->grants[0].n_rows = 0;
	}
	enip_enforcer.begin(d->state, (p[7] & 64) != 0, 2222);
	if ((p[7] & 1) != 0)
		pending_missed(&enip_enforcer, d->state, (p[7] & 32) != 0);
}

/* Reads a plain request, alone in its message, to an object of a class below 256. */
static void second_reading(const struct desk *d, const uint8_t *pdu, size_t n)
{
	const struct command_row *row = &d->rows[0];
	uint32_t service, class;

	MUST(n == 24 + le16(pdu + 2) && le16(pdu + 8) == 0 && le16(pdu + 20) == 0 && le16(pdu + 22) == 0);
	if (le16(pdu) != ENCAP_REQUEST)
		return;
	MUST(n >= 44 && le16(pdu + 30) >= 2 && le16(pdu + 36) == 0xb2 && le16(pdu + 38) + 40 <= n);
	if (d->grants[0].whole || pdu[42] != 0x20)
		return;
	service = pdu[40];
	class = pdu[43];
	MUST(service > 0 && service < 128);
	if (pdu[41] > 3 || class == 2 || class == 6 || class == 0x67 || (pdu[44] != 0x24 && pdu[41] > 1) ||
	    (pdu[41] == 3 && pdu[46] != 0x30))
		return;
	MUST(number_in(&d->table, &row->services, service < 0x32 ? service : class << 8 | service));
	MUST(number_in(&d->table, &row->targets[0], 0));
	if (!row->spaces_any) {
		const struct number_range *r = &d->ranges[d->spaces[row->first_space].numbers.first];

		MUST(class >= r->lo >> 47 && class <= r->hi >> 47);
	}
	if (service == 0x10 && !row->values.any)
		MUST(pdu[42 + 2 * pdu[41]] <= d->ranges[row->values.first].hi);
}

/* Judges each whole PDU; false when the flow ends. */
static bool turn(struct desk *d, struct stream *s, enum direction dir)
{
	enum frame_result r;
	size_t len;

	while ((r = next_pdu(d, s, dir, 24, &len)) == FRAME_WHOLE) {
		if (d->p.allowed && dir == DIR_C2S) {
			MUST(d->p.reason == R_ALLOWED);
			second_reading(d, s->bytes, len);
		}
		if (!d->p.allowed)
			return false;
		stream_drop(s, len);
	}
	return r == FRAME_NEED_MORE;
}

/* One datagram, whole. */
static void datagram(struct desk *d, enum direction dir, const uint8_t *p, size_t n)
{
	static struct judge_room room;
	struct parsed parsed = { .operations = room.operations, .joined = room.joined };
	uint8_t *copy = malloc(n ? n : 1);
	size_t len = 0;

	MUST(copy != NULL);
	memcpy(copy, p, n);
	if (enip_enforcer.frame(d->state, dir, bytes_of(copy, n), &len) == FRAME_WHOLE && len == n) {
		bool io = le16(p) == 2;

		enip_enforcer.parse(d->state, dir, bytes_of(copy, n), &parsed);
		MUST((parsed.bond.kind == BOND_USES) == io);
		if (io)
			MUST(n >= 18 && le16(p + 2) == 0x8002 && le16(p + 4) == 8 && le16(p + 14) == 0xb1 &&
			     le16(p + 16) == n - 18 && parsed.bond.id[0] == (le16(p + 6) | le16(p + 8) << 16) &&
			     parsed.bond.bytes[0] == n - 18);
		desk_judge(d, dir, copy, n);
		MUST(!d->p.allowed || (!io && (dir == DIR_S2C || p[0] == 4 || p[0] == 0x63 || p[0] == 0x64)));
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct desk d;
	static struct stream streams[2];
	bool datagrams;

	if (size < 8)
		return 0;
	streams[0].n = streams[1].n = 0;
	policy(&d, data);
	datagrams = (data[7] & 64) != 0;
	data += 8;
	size -= 8;
	while (size >= 3) {
		enum direction dir = data[0] & 0x80 ? DIR_S2C : DIR_C2S;
		size_t n = le16(data + 1);

		data += 3;
		size -= 3;
		if (n > size)
			n = size;
		if (n > ENIP_PDU_MAX)
			n = ENIP_PDU_MAX;
		if (datagrams) {
			datagram(&d, dir, data, n);
			data += n;
			size -= n;
			continue;
		}
		memcpy(streams[dir].bytes + streams[dir].n, data, n);
		streams[dir].n += n;
		data += n;
		size -= n;
		if (!turn(&d, &streams[dir], dir))
			return 0;
	}
	return 0;
}

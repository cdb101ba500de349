/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Modbus enforcer: the first bytes are a policy; then come pieces of the streams of both
 * directions.
 * LINK: $(COMMANDS_PARTS) dpi/modbus/%.c
 * LIBS: nettle
 *
 * Input: 16 bytes of policy (function classes, unit, two address ranges, value range), then pieces:
 * one byte whose top bit is the direction, one byte of length, the bytes. The bytes of each
 * direction are collected, framed and judged as the stream gate does it. The target aborts when a
 * PDU is allowed that this policy does not allow, by a second reading of the specification that
 * shares no code with the enforcer.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dpi/modbus_desk.h"

#define FUZZ_STREAM (1024)
#include "tests/fuzz/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void policy(struct desk *d, const uint8_t p[16])
{
	struct command_row *row = desk_row(d);

	uint64_t functions[4] = { 0 };

	for (unsigned f = 1; f < 128; f++)
		if (p[f % 4] & (1u << (f % 8)))
			functions[f / 64] |= (uint64_t)1 << f % 64;
	row->services = desk_bits(d, functions);
	row->targets[0] = DESK_ONLY(d, p[4], p[5]);
	desk_space(d, row, MODBUS_HOLDING, desk_ranges(d, (uint32_t[]){ p[7], p[7] + (uint32_t)p[8] }, 1));
	desk_space(d, row, MODBUS_COILS, desk_ranges(d, (uint32_t[]){ p[9], p[9] + (uint32_t)p[10] }, 1));
	row->spaces_any = p[6] & 1;
	if (!(p[6] & 2))
		row->values = desk_ranges(d, (uint32_t[]){ p[11], p[11] + (uint32_t)p[12] }, 1);
}

/* Reads the simple requests a second time. */
static void second_reading(const struct desk *d, const uint8_t *pdu, size_t n)
{
	const struct command_row *row = &d->rows[0];
	uint8_t function = pdu[7];
	uint32_t first, last;

	MUST(n == 6u + be16(pdu + 4) && be16(pdu + 2) == 0);
	MUST(function > 0 && function < 128 && number_in(&d->table, &row->services, function) &&
	     number_in(&d->table, &row->targets[0], pdu[6]));
	if (function != 3 && function != 6 && function != 16 && function != 1 && function != 5)
		return;
	MUST(n >= 12);
	first = be16(pdu + 8);
	last = function == 5 || function == 6 ? first : first + be16(pdu + 10) - 1;
	MUST(last >= first && last <= 65535);
	if (!row->spaces_any) {
		const struct number_range *r =
			&d->ranges[d->spaces[row->first_space + (function == 1 || function == 5)].numbers.first];

		MUST(first >= r->lo && last <= r->hi);
	}
	if (row->values.any)
		return;
	if (function == 6)
		MUST(be16(pdu + 10) >= d->ranges[row->values.first].lo &&
		     be16(pdu + 10) <= d->ranges[row->values.first].hi);
	if (function == 16)
		for (uint32_t i = 0; i <= last - first; i++) {
			MUST(n >= 13 + 2 * i + 2);
			MUST(be16(pdu + 13 + 2 * i) >= d->ranges[row->values.first].lo &&
			     be16(pdu + 13 + 2 * i) <= d->ranges[row->values.first].hi);
		}
}

/* Judges each whole PDU; false when the flow ends. */
static bool turn(struct desk *d, struct stream *s, enum direction dir)
{
	enum frame_result r;
	size_t len;

	while ((r = next_pdu(d, s, dir, 8, &len)) == FRAME_WHOLE) {
		MUST(d->p.allowed ==
		     (d->p.reason == R_ALLOWED || d->p.reason == R_MODBUS_TWICE || d->p.reason == R_MODBUS_UNSEEN));
		if (d->p.allowed && dir == DIR_C2S)
			second_reading(d, s->bytes, len);
		if (!d->p.allowed)
			return false;
		stream_drop(s, len);
	}
	return r == FRAME_NEED_MORE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct desk d;
	struct stream streams[2] = { { .n = 0 }, { .n = 0 } };

	if (size < 16)
		return 0;
	policy(&d, data);
	data += 16;
	size -= 16;
	while (size >= 2) {
		enum direction dir = data[0] & 0x80 ? DIR_S2C : DIR_C2S;
		size_t n = data[1];

		data += 2;
		size -= 2;
		if (n > size)
			n = size;
		memcpy(streams[dir].bytes + streams[dir].n, data, n);
		streams[dir].n += n;
		data += n;
		size -= n;
		if (!turn(&d, &streams[dir], dir))
			return 0;
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/modbus/serial.h"
#include "dpi/modbus/modbus.h"
#include "dpi/modbus/request.h"

#include <string.h>

#include "appliance/wire/vocabulary.h"
#include "dpi/judge.h"

#define HEADER 7u     /* bytes before the function code, of Modbus/TCP */
#define SERIAL_MIN 4u /* bytes of a frame: unit, function, check */
/* characters: a colon, those of unit, function and check, the end of the line */
#define ASCII_MIN 9u

/* A request on a serial line. */
struct framed {
	uint8_t pdu[MODBUS_PDU_MAX]; /* with a header of Modbus/TCP */
	struct modbus_request request;
	size_t n; /* bytes or characters of the frame on the line */
};

/* The CRC of a frame; over the frame with its CRC it is 0. */
static uint16_t check_of(struct bytes b)
{
	static const uint16_t by_four_bits[16] = { 0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401,
						   0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01, 0x8801, 0x4400 };
	uint16_t crc = 0xffff;
	uint8_t byte;

	while (bytes_u8(&b, &byte)) {
		crc ^= byte;
		crc = crc >> 4 ^ by_four_bits[crc & 15u];
		crc = crc >> 4 ^ by_four_bits[crc & 15u];
	}
	return crc;
}

/* Bytes of an RTU frame by its function, which follows the unit; 0: only the end of the frame shows
 * its length, or there are not enough bytes. */
static size_t length_of(struct bytes b)
{
	uint8_t function, count = 0;
	size_t before;

	bytes_skip(&b, 1);
	if (!bytes_u8(&b, &function))
		return 0;
	switch (function) {
	case MB_READ_COILS:
	case MB_READ_DISCRETE:
	case MB_READ_HOLDING:
	case MB_READ_INPUT:
	case MB_WRITE_COIL:
	case MB_WRITE_REGISTER:
	case MB_DIAGNOSTICS:
		return 8;
	case MB_EXCEPTION_STATUS:
	case MB_EVENT_COUNTER:
	case MB_EVENT_LOG:
	case MB_SERVER_ID:
		return SERIAL_MIN;
	case MB_READ_FIFO:
		return 6;
	case MB_MASK_WRITE:
		return 10;
	case MB_ENCAPSULATED:
		return 7;
	case MB_WRITE_COILS:
	case MB_WRITE_REGISTERS:
		before = 4;
		break;
	case MB_READ_FILE:
	case MB_WRITE_FILE:
		before = 0;
		break;
	case MB_READ_WRITE:
		before = 8;
		break;
	default:
		return 0;
	}
	bytes_skip(&b, before);
	return bytes_u8(&b, &count) ? SERIAL_MIN + before + 1u + count : 0;
}

/* Converts unit, function and data to Modbus/TCP. False: no server would execute the request. */
static bool framed_take(struct bytes b, struct framed *ret)
{
	size_t n = b.left;

	if (n < 2 || n > MODBUS_PDU_MAX - 6u || !bytes_copy(&b, ret->pdu + 6, n))
		return false;
	memcpy(ret->pdu, (uint8_t[]){ 0, 0, 0, 0, 0, (uint8_t)n }, 6);
	modbus_request_parse(bytes_of(ret->pdu, 6 + n), &ret->request);
	return ret->request.well_formed || modbus_request_forgiven(&ret->request);
}

/* Whether `b` begins with an RTU frame of `n` bytes. */
static bool is_rtu(struct bytes b, size_t n, struct framed *ret)
{
	struct bytes frame;

	ret->n = n;
	if (n < SERIAL_MIN || n > SERIAL_MAX || !bytes_take(&b, n, &frame) || check_of(frame) != 0)
		return false;
	frame.left -= 2;
	return framed_take(frame, ret);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether `b` begins with an ASCII frame: a colon, pairs of digits whose sum is 0 with the last
 * pair, and the end of the line. */
static bool is_ascii(struct bytes b, struct framed *ret)
{
	uint8_t raw[SERIAL_MAX], sum = 0, c, low;
	size_t n = 0, all = b.left;

	if (b.left < ASCII_MIN || !bytes_u8(&b, &c) || c != ':')
		return false;
	while (n < sizeof(raw) && bytes_u8(&b, &c) && c != '\r') {
		if (!bytes_u8(&b, &low) || hex_digit(c) < 0 || hex_digit(low) < 0)
			return false;
		raw[n] = (uint8_t)(hex_digit(c) << 4 | hex_digit(low));
		sum = (uint8_t)(sum + raw[n++]);
	}
	if (b.failed || c != '\r' || n < 3 || sum != 0 || !bytes_u8(&b, &c) || c != '\n')
		return false;
	ret->n = all - b.left;
	return framed_take(bytes_of(raw, n - 1), ret);
}

static void name_framed(const struct framed *f, const struct ruling *ruling, struct pdu *ret)
{
	pdu_name_ruling(ret, ruling);
	pdu_name_operation(ret, f->request.operations, f->request.n, ruling);
	ret->reason = R_MODBUS_SERIAL;
}

static bool framed_refused(const struct framed *f, const struct allowance *by, struct pdu *ret)
{
	struct ruling ruling;

	evaluate(by, f->request.operations, f->request.n, &ruling);
	if (ruling.reason == R_ALLOWED)
		return false;
	name_framed(f, &ruling, ret);
	evaluate_limit(by, f->request.operations, &ruling, &ret->limit);
	ret->reading = true;
	return true;
}

/*
 * Whether a Modbus/TCP request is at the beginning. A request without data proves nothing: an RTU
 * poll of two registers looks like a request for the event counter.
 */
static bool is_tcp(struct bytes b)
{
	struct modbus_request r;
	struct bytes pdu;
	size_t n;

	if (modbus_frame(NULL, DIR_C2S, b, &n) != FRAME_WHOLE || n <= HEADER + 1 || !bytes_take(&b, n, &pdu))
		return false;
	modbus_request_parse(pdu, &r);
	return r.well_formed && function_framing(vocabulary_of(PROTO_MODBUS), r.function) == FRAMING_ALIKE;
}

/* Whether the bytes are nothing but requests on a serial line, and so not Modbus/TCP. Such bytes
 * are reported even if the rows allow them. */
static bool is_serial(struct bytes b, const struct allowance *by, struct pdu *ret)
{
	struct bytes rest = b;
	struct ruling ruling;
	struct framed f;

	if (is_tcp(b))
		return false;
	while (rest.left > 0)
		if ((!is_rtu(rest, length_of(rest), &f) && !is_ascii(rest, &f)) || !bytes_skip(&rest, f.n))
			return false;
	if (!is_rtu(b, length_of(b), &f) && !is_ascii(b, &f))
		return false;
	evaluate(by, f.request.operations, f.request.n, &ruling);
	name_framed(&f, &ruling, ret);
	return true;
}

/* Whether a refused request begins among the first `starts` bytes and ends after the first
 * `seen` bytes. */
static bool is_refused_in(struct bytes b, size_t starts, size_t seen, const struct allowance *by, struct pdu *ret)
{
	struct framed f;

	for (size_t at = 0; at < starts; at++, bytes_skip(&b, 1)) {
		size_t n = length_of(b);

		if (((n > 0 && at + n > seen && is_rtu(b, n, &f)) || (is_ascii(b, &f) && at + f.n > seen)) &&
		    framed_refused(&f, by, ret))
			return true;
	}
	return false;
}

static bool serial_search(const struct modbus_serial *s, struct bytes b, const struct allowance *by, struct pdu *ret)
{
	uint8_t both[2u * SERIAL_MAX];
	size_t n = b.left < SERIAL_MAX ? b.left : SERIAL_MAX;
	struct bytes head = b;
	struct framed f;

	memcpy(both, s->tail, s->n);
	bytes_copy(&head, both + s->n, n);
	/* A receiver that separates frames by silence does not check the length for
	 * the function. */
	return is_refused_in(bytes_of(both, s->n + n), s->n, s->n, by, ret) || is_refused_in(b, b.left, 0, by, ret) ||
	       (is_rtu(b, b.left, &f) && framed_refused(&f, by, ret));
}

static void tail_keep(struct modbus_serial *s, struct bytes b)
{
	size_t n = b.left < sizeof(s->tail) ? b.left : sizeof(s->tail), stays = sizeof(s->tail) - n;

	if (stays > s->n)
		stays = s->n;
	memmove(s->tail, s->tail + s->n - stays, stays);
	bytes_skip(&b, b.left - n);
	bytes_copy(&b, s->tail + stays, n);
	s->n = (uint8_t)(stays + n);
}

bool modbus_serial_judge(struct modbus_serial *s, bool begins, struct bytes b, const struct allowance *by,
			 struct pdu *ret)
{
	bool refused;

	if (s->reads == READS_TCP || b.left == 0)
		return true;
	/* If everything is allowed, misreading does no harm. */
	refused = (begins && is_serial(b, by, ret)) || (!evaluate_allows_all(by) && serial_search(s, b, by, ret));
	tail_keep(s, b);
	return !refused;
}

/*
 * An RTU answer begins with unit and function, at the position of the transaction id of Modbus/TCP.
 * For the functions below, zeros may follow, like the protocol id; answers to other functions have
 * a byte count or an error there.
 */
void modbus_serial_answered(struct modbus_serial *s, uint16_t tid)
{
	if (s->reads != READS_UNTOLD)
		return;
	switch (tid & 0xffu) {
	case MB_WRITE_COIL:
	case MB_WRITE_REGISTER:
	case MB_EXCEPTION_STATUS:
	case MB_DIAGNOSTICS:
	case MB_EVENT_COUNTER:
	case MB_WRITE_COILS:
	case MB_WRITE_REGISTERS:
	case MB_MASK_WRITE:
	case MB_UMAS:
		s->reads = READS_EITHER;
		break;
	default:
		s->reads = READS_TCP;
	}
}

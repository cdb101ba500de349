/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/modbus/modbus.h"
#include "dpi/modbus/request.h"

#include <string.h>

#include "appliance/wire/vocabulary.h"

#define HEADER 7u /* bytes before the function code */
#define DATA_MAX (MODBUS_PDU_MAX - HEADER - 1)
/* the reader stops here: it waits for more bytes, or discards those that it has */
#define NO_END 65535u

static bool has_start(const uint8_t starts[SLIP_MAX / 8u], uint32_t i)
{
	return starts[i / 8u] & (1u << i % 8u);
}

static void set_start(uint8_t starts[SLIP_MAX / 8u], uint32_t i)
{
	if (i < SLIP_MAX)
		starts[i / 8u] |= (uint8_t)(1u << i % 8u);
}

bool modbus_slip_add(struct modbus_slip *s, uint32_t at, struct bytes b)
{
	if (s->n > 0 && s->at + s->n != at) /* bytes in between passed unseen */
		s->n = 0;
	if (b.left > SLIP_MAX - s->n)
		return false;
	if (s->n == 0) {
		s->at = at;
		s->late = false;
		memset(s->starts, 0, sizeof(s->starts));
	}
	memcpy(s->bytes + s->n, b.p, b.left);
	s->n = (uint16_t)(s->n + b.left);
	return true;
}

bool modbus_slip_extend(struct modbus_slip *s, uint32_t at, struct bytes b)
{
	uint8_t starts[SLIP_READERS][SLIP_MAX / 8u] = { { 0 } };
	bool late;

	for (unsigned r = 0; r < SLIP_READERS; r++)
		for (uint32_t i = 0; i < s->n; i++)
			if (has_start(s->starts[r], i))
				set_start(starts[r], i + (s->at - at));
	late = s->n > 0 && s->late;
	s->n = 0;
	if (!modbus_slip_add(s, at, b))
		return false;
	s->late = late;
	memcpy(s->starts, starts, sizeof(starts));
	return true;
}

void modbus_slip_start(struct modbus_slip *s, uint32_t at, bool late)
{
	s->late = s->late || late;
	for (unsigned r = 0; r < SLIP_READERS; r++)
		if (s->late || r != SLIP_BY_SEARCH)
			set_start(s->starts[r], at - s->at);
}

/* Bytes of data that servers expect after this function code; `left` where only the length in the
 * header says it. */
static size_t data_length(uint8_t function, struct bytes data)
{
	uint8_t count = 0;

	switch (function) {
	case MB_READ_COILS:
	case MB_READ_DISCRETE:
	case MB_READ_HOLDING:
	case MB_READ_INPUT:
	case MB_WRITE_COIL:
	case MB_WRITE_REGISTER:
		return 4;
	case MB_DIAGNOSTICS:
		return 4;
	case MB_MASK_WRITE:
		return 6;
	case MB_EXCEPTION_STATUS:
	case MB_EVENT_COUNTER:
	case MB_EVENT_LOG:
	case MB_SERVER_ID:
		return 0;
	case MB_WRITE_COILS:
	case MB_WRITE_REGISTERS:
		bytes_skip(&data, 4);
		return bytes_u8(&data, &count) ? 5u + count : SIZE_MAX;
	case MB_READ_WRITE:
		bytes_skip(&data, 8);
		return bytes_u8(&data, &count) ? 9u + count : SIZE_MAX;
	case MB_WRITE_FILE:
		return bytes_u8(&data, &count) ? 1u + count : SIZE_MAX;
	case MB_UMAS:
		return data.left < 2 ? 2 : data.left < DATA_MAX ? data.left : DATA_MAX;
	default:
		return data.left < DATA_MAX ? data.left : DATA_MAX;
	}
}

/* The bytes of data for servers that use the number of written values, not the byte count. */
static size_t least_length(uint8_t function, struct bytes data)
{
	uint16_t n = 0;

	if (function != MB_WRITE_COILS && function != MB_WRITE_REGISTERS && function != MB_READ_WRITE)
		return data_length(function, data);
	bytes_skip(&data, function == MB_READ_WRITE ? 6 : 2);
	if (!bytes_be16(&data, &n))
		return SIZE_MAX;
	return (function == MB_READ_WRITE ? 9u : 5u) + (function == MB_WRITE_COILS ? (n + 7u) / 8u : 2u * n);
}

/*
 * Whether the function is searched for: servers that ignore the length know it, and it does more
 * than return information about the device. Functions that only return information are not searched
 * for, because a single byte would be enough to match.
 */
static bool is_known(uint8_t function)
{
	const struct function_info *f = function_by_code(vocabulary_of(PROTO_MODBUS), function);
	unsigned acts = CLASS_WRITE | CLASS_CONTROL | CLASS_PROGRAM;

	return f != NULL && (f->classes & (f->framing == FRAMING_ALIKE ? acts | CLASS_READ : acts)) != 0;
}

/* The request that a server finds in these bytes if it takes `needs` of them as data. */
static bool reads_as(const uint8_t *header, size_t needs, struct modbus_reading *ret)
{
	if (needs > DATA_MAX || !is_known(header[HEADER]))
		return false;
	memcpy(ret->pdu, header, HEADER + 1 + needs);
	memcpy(ret->pdu + 2, (uint8_t[]){ 0, 0, 0, (uint8_t)(needs + 2) }, 4);
	modbus_request_parse(bytes_of(ret->pdu, HEADER + 1 + needs), &ret->request);
	return ret->request.well_formed || modbus_request_forgiven(&ret->request);
}

/* The position where this reader continues after a header and a function code at `b`; NO_END when
 * it stops. */
static uint32_t reader_step(enum slip_reader reader, struct bytes b, struct modbus_reading *ret, bool *ret_request)
{
	uint16_t protocol = (uint16_t)(b.p[2] << 8 | b.p[3]), length = (uint16_t)(b.p[4] << 8 | b.p[5]);
	uint8_t function = b.p[HEADER];
	struct bytes data = bytes_of(b.p + HEADER + 1, b.left - HEADER - 1);
	size_t left = data.left, needs = data_length(function, data), least;

	*ret_request = false;
	switch (reader) {
	case SLIP_BY_LENGTH:
		if (length < 2)
			return 6u + length;
		if (length - 2u > left)
			return NO_END;
		*ret_request =
			/* this reader ignores surplus bytes */
			needs <= length - 2u && reads_as(b.p, needs, ret);
		return 6u + length;
	case SLIP_BY_FUNCTION:
		least = needs <= left ? needs : least_length(function, data);
		*ret_request = least <= left && reads_as(b.p, least, ret);
		if (needs > left || function_framing(vocabulary_of(PROTO_MODBUS), function) != FRAMING_ALIKE)
			return NO_END;
		return (uint32_t)(HEADER + 1 + needs);
	case SLIP_BY_SEARCH:
		*ret_request = protocol == 0 && length >= 2 && length - 2u <= left && needs <= length - 2u &&
			       reads_as(b.p, needs, ret);
		return 1;
	case SLIP_READERS:
		break;
	}
	return NO_END;
}

bool modbus_slip_whole(struct bytes b)
{
	struct bytes data = b;
	uint8_t function;

	if (!bytes_skip(&data, HEADER) || !bytes_u8(&data, &function) ||
	    function_framing(vocabulary_of(PROTO_MODBUS), function) != FRAMING_ALIKE)
		return false;
	return data_length(function, data) <= data.left || least_length(function, data) <= data.left;
}

bool modbus_slip_forbids(const struct modbus_slip *s, const struct allowance *by, struct modbus_reading *ret,
			 struct ruling *ret_ruling)
{
	uint8_t starts[SLIP_READERS][SLIP_MAX / 8u];

	memcpy(starts, s->starts, sizeof(starts));
	for (unsigned r = 0; r < SLIP_READERS; r++) {
		for (uint32_t i = 0; i + HEADER < s->n; i++) {
			bool request;
			uint32_t on;

			if (!has_start(starts[r], i))
				continue;
			on = reader_step((enum slip_reader)r, bytes_of(s->bytes + i, s->n - i), ret, &request);
			if (request) {
				evaluate(by, ret->request.operations, ret->request.n, ret_ruling);
				if (ret_ruling->reason != R_ALLOWED)
					return true;
			}
			if (on != NO_END)
				set_start(starts[r], i + on);
		}
	}
	return false;
}

static bool begins_at(const struct modbus_asked *asked, uint32_t at)
{
	for (uint32_t i = 0; i < asked->n; i++)
		if (asked->at[i] == at)
			return true;
	return false;
}

/* Whether a request with this header would have the same answer. */
static bool asks_alike(const uint8_t *header, const struct modbus_asked *asked)
{
	return (asked->any_tid || (uint16_t)(header[0] << 8 | header[1]) == asked->tid) &&
	       (asked->any_unit || header[HEADER - 1] == asked->unit) && header[HEADER] == asked->function;
}

/* Whether some way of reading finds, at a position where the client began no request, a request
 * with the same answer. */
static bool asked_elsewhere(const struct modbus_slip *s, const struct modbus_asked *asked)
{
	uint8_t starts[SLIP_READERS][SLIP_MAX / 8u];
	struct modbus_reading reading;
	bool request;

	memcpy(starts, s->starts, sizeof(starts));
	for (unsigned r = 0; r < SLIP_READERS; r++) {
		for (uint32_t i = 0; i + HEADER < s->n; i++) {
			uint32_t on;

			if (!has_start(starts[r], i))
				continue;
			if (asks_alike(s->bytes + i, asked) && !begins_at(asked, s->at + i))
				return true;
			on = reader_step((enum slip_reader)r, bytes_of(s->bytes + i, s->n - i), &reading, &request);
			if (on != NO_END)
				set_start(starts[r], i + on);
		}
	}
	return false;
}

void modbus_slip_answered(struct modbus_slip *s, uint32_t at, uint32_t length, const struct modbus_asked *asked)
{
	if (s->n > 0 && (int32_t)(at + length - s->at) > 0 && !asked_elsewhere(s, asked))
		s->n = 0;
}

bool modbus_slip_anywhere(struct bytes b, const struct allowance *by, struct modbus_reading *ret,
			  struct ruling *ret_ruling)
{
	bool request;

	for (; b.left > HEADER; bytes_skip(&b, 1)) {
		reader_step(SLIP_BY_LENGTH, b, ret, &request);
		if (!request)
			continue;
		evaluate(by, ret->request.operations, ret->request.n, ret_ruling);
		if (ret_ruling->reason != R_ALLOWED)
			return true;
	}
	return false;
}

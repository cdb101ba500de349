/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/modbus/request.h"

/* A count of bytes, and exactly that many bytes. */
static bool counted_bytes(struct bytes *b, uint32_t expected)
{
	uint8_t count;

	return bytes_u8(b, &count) && count == expected && bytes_skip(b, count);
}

static bool echo16(struct bytes *b, uint16_t expected)
{
	uint16_t v;

	return bytes_be16(b, &v) && v == expected;
}

/* Status word, event count, message count, then the events themselves (at most 64). */
static bool event_log(struct bytes *b)
{
	uint8_t count;

	return bytes_u8(b, &count) && count >= 6 && count <= 70 && bytes_skip(b, count);
}

static bool server_id(struct bytes *b)
{
	uint8_t count;

	return bytes_u8(b, &count) && count >= 1 && bytes_skip(b, count);
}

static bool file_read(struct bytes *b, uint16_t parts, uint16_t registers)
{
	struct bytes list;
	uint32_t n = 0, total = 0;
	uint8_t count, length, reference;

	if (!bytes_u8(b, &count) || !bytes_take(b, count, &list))
		return false;
	while (list.left > 0) {
		bytes_u8(&list, &length);
		bytes_u8(&list, &reference);
		if (list.failed || length < 3 || length % 2 == 0 || reference != 6 || !bytes_skip(&list, length - 1u))
			return false;
		total += (length - 1u) / 2u;
		n++;
	}
	return n == parts && total == registers;
}

static bool file_written(struct bytes *b, uint16_t record, uint16_t data_bytes, uint16_t file)
{
	struct bytes list;
	uint8_t count, reference;
	uint16_t got_file, got_record, length;

	if (!bytes_u8(b, &count) || count != data_bytes || !bytes_take(b, count, &list))
		return false;
	for (bool first = true; list.left > 0; first = false) {
		bytes_u8(&list, &reference);
		bytes_be16(&list, &got_file);
		bytes_be16(&list, &got_record);
		bytes_be16(&list, &length);
		if (list.failed || reference != 6 || !bytes_skip(&list, (size_t)length * 2u))
			return false;
		if (first && (got_file != file || got_record != record))
			return false;
	}
	return true;
}

static bool fifo(struct bytes *b)
{
	uint16_t data_bytes, n;

	bytes_be16(b, &data_bytes);
	bytes_be16(b, &n);
	return !b->failed && n <= 31 && data_bytes == 2u + 2u * n && bytes_skip(b, 2u * (size_t)n);
}

static bool diagnostics(struct bytes *b, uint16_t sub, uint16_t data_bytes, uint16_t value)
{
	uint16_t word;

	if (!echo16(b, sub))
		return false;
	if (sub > 20 || (sub >= 5 && sub <= 9) || sub == 19)
		return bytes_skip(b, b->left);
	if (b->left != data_bytes || !bytes_be16(b, &word))
		return false;
	/* Sub-functions 0, 1, 3, 4, 10 and 20 echo the request's data. The others return a counter
	 * or the diagnostic register. */
	if ((sub <= 1 || sub == 3 || sub == 4 || sub == 10 || sub == 20) && word != value)
		return false;
	return bytes_skip(b, b->left);
}

/* Read device identification: a list of objects, each with its own length, that fills the
 * answer exactly. */
static bool identification(struct bytes *b, uint16_t asked_code)
{
	uint8_t code, conformity, more, next, n, id, length;

	bytes_u8(b, &code);
	bytes_u8(b, &conformity);
	bytes_u8(b, &more);
	bytes_u8(b, &next);
	bytes_u8(b, &n);
	if (b->failed || code != asked_code || (more != 0 && more != 0xff))
		return false;
	for (unsigned i = 0; i < n; i++) {
		bytes_u8(b, &id);
		bytes_u8(b, &length);
		if (b->failed || !bytes_skip(b, length))
			return false;
	}
	return true;
}

static bool encapsulated(struct bytes *b, uint16_t asked_mei, uint16_t asked_code)
{
	uint8_t mei;

	if (!bytes_u8(b, &mei) || mei != asked_mei)
		return false;
	return mei == 14 ? identification(b, asked_code) : bytes_skip(b, b->left);
}

static bool response_fits(uint8_t function, uint16_t address, uint16_t quantity, uint16_t value, struct bytes *b)
{
	switch (function) {
	case MB_READ_COILS:
	case MB_READ_DISCRETE:
		return counted_bytes(b, (quantity + 7u) / 8u);
	case MB_READ_HOLDING:
	case MB_READ_INPUT:
	case MB_READ_WRITE:
		return counted_bytes(b, quantity * 2u);
	case MB_WRITE_COIL:
	case MB_WRITE_REGISTER:
		return echo16(b, address) && echo16(b, value);
	case MB_EXCEPTION_STATUS:
		return bytes_skip(b, 1);
	case MB_DIAGNOSTICS:
		return diagnostics(b, address, quantity, value);
	case MB_EVENT_COUNTER:
		return bytes_skip(b, 4);
	case MB_EVENT_LOG:
		return event_log(b);
	case MB_WRITE_COILS:
	case MB_WRITE_REGISTERS:
		return echo16(b, address) && echo16(b, quantity);
	case MB_SERVER_ID:
		return server_id(b);
	case MB_READ_FILE:
		return file_read(b, quantity, value);
	case MB_WRITE_FILE:
		return file_written(b, address, quantity, value);
	case MB_MASK_WRITE:
		return echo16(b, address) && echo16(b, quantity) && echo16(b, value);
	case MB_READ_FIFO:
		return fifo(b);
	case MB_ENCAPSULATED:
		return encapsulated(b, address, quantity);
	default:
		return bytes_skip(b, b->left);
	}
}

bool modbus_response_fits(uint8_t function, uint16_t address, uint16_t quantity, uint16_t value, struct bytes data)
{
	return response_fits(function, address, quantity, value, &data) && bytes_done(&data);
}

/* Whether this could be the answer to some request. The request's numbers are taken from the answer
 * itself. */
bool modbus_response_possible(uint8_t function, struct bytes data)
{
	struct bytes b = data;
	uint16_t first = 0, second = 0, third = 0;
	uint8_t byte = 0, code = 0;

	switch (function) {
	case MB_READ_COILS:
	case MB_READ_DISCRETE:
		return bytes_u8(&b, &byte) && byte > 0 && modbus_response_fits(function, 0, byte * 8u, 0, data);
	case MB_READ_HOLDING:
	case MB_READ_INPUT:
	case MB_READ_WRITE:
		return bytes_u8(&b, &byte) && byte > 0 && modbus_response_fits(function, 0, byte / 2u, 0, data);
	case MB_READ_FILE:
		return bytes_u8(&b, &byte) && byte == b.left;
	case MB_WRITE_FILE:
		bytes_u8(&b, &byte);
		bytes_skip(&b, 1);
		bytes_be16(&b, &first);
		bytes_be16(&b, &second);
		return modbus_response_fits(function, second, byte, first, data);
	case MB_ENCAPSULATED:
		bytes_u8(&b, &byte);
		bytes_u8(&b, &code);
		return modbus_response_fits(function, byte, code, 0, data);
	case MB_WRITE_COIL:
	case MB_WRITE_REGISTER:
		bytes_be16(&b, &first);
		bytes_be16(&b, &third);
		return modbus_response_fits(function, first, 0, third, data);
	case MB_DIAGNOSTICS:
		bytes_be16(&b, &first);
		second = (uint16_t)b.left;
		bytes_be16(&b, &third);
		return modbus_response_fits(function, first, second, third, data);
	default: /* the answer repeats up to three numbers, or has none */
		bytes_be16(&b, &first);
		bytes_be16(&b, &second);
		bytes_be16(&b, &third);
		return modbus_response_fits(function, first, second, third, data);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "appliance/wire/vocabulary.h"
#include "dpi/modbus/request.h"

/* Limits of clause 6 of the application protocol: what fits into a PDU of 253 bytes. */
#define READ_BITS_MAX 2000u
#define READ_REGISTERS_MAX 125u
#define WRITE_BITS_MAX 1968u
#define WRITE_REGISTERS_MAX 123u
#define READ_WRITE_MAX 121u
#define FILE_RECORD_MAX 9999u
#define RESPONSE_DATA_MAX 251u

uint8_t modbus_space(uint8_t function)
{
	switch (function) {
	case MB_READ_COILS:
	case MB_WRITE_COIL:
	case MB_WRITE_COILS:
		return MODBUS_COILS;
	case MB_READ_DISCRETE:
		return MODBUS_DISCRETE;
	case MB_READ_INPUT:
		return MODBUS_INPUT;
	case MB_READ_HOLDING:
	case MB_WRITE_REGISTER:
	case MB_WRITE_REGISTERS:
	case MB_MASK_WRITE:
	case MB_READ_WRITE:
	case MB_READ_FIFO:
		return MODBUS_HOLDING;
	default:
		return SPACE_NONE;
	}
}

bool modbus_single(uint8_t function)
{
	return function == MB_WRITE_COIL || function == MB_WRITE_REGISTER || function == MB_MASK_WRITE;
}

/* The operation that was read last. */
static struct operation *last(struct modbus_request *r)
{
	return &r->operations[r->n - 1u];
}

/* Adds an operation on a range of addresses; false when the range is empty, longer than `max`, or
 * goes beyond address 65535. */
static bool range_touch(struct modbus_request *r, uint16_t first, uint16_t n, uint16_t max)
{
	if (last(r)->space != SPACE_NONE) { /* another range: one more operation of the same kind */
		r->operations[r->n] = *last(r);
		r->n++;
	} else {
		r->address = first;
		r->quantity = n;
	}
	last(r)->space = modbus_space(r->function);
	last(r)->first = first;
	last(r)->count = n;
	if (n >= 1 && n <= max && n <= 65536u - first)
		return true;
	r->wrong = R_MODBUS_QUANTITY;
	return false;
}

static bool parse_read(struct modbus_request *r, struct bytes *b, uint16_t max)
{
	uint16_t first, n;

	bytes_be16(b, &first);
	bytes_be16(b, &n);
	return !b->failed && range_touch(r, first, n, max);
}

/* A coil is written with FF00 for on or 0000 for off, and with nothing else. */
static bool parse_write_single(struct modbus_request *r, struct bytes *b)
{
	uint16_t first;
	uint64_t v;

	bytes_be16(b, &first);
	if (b->failed || !range_touch(r, first, 1, 1) || !bytes_be16(b, &r->value))
		return false;
	v = r->function != MB_WRITE_COIL ? r->value : r->value != 0;
	last(r)->values = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
	if (r->function != MB_WRITE_COIL || r->value == 0xff00 || r->value == 0)
		return true;
	r->wrong = R_MODBUS_COIL;
	return false;
}

static bool parse_write_bits(struct modbus_request *r, struct bytes *b)
{
	uint16_t first, n;
	uint8_t count;

	bytes_be16(b, &first);
	bytes_be16(b, &n);
	if (b->failed || !range_touch(r, first, n, WRITE_BITS_MAX) || !bytes_u8(b, &count))
		return false;
	last(r)->values = values_at(VALUES_BITS, n, *b);
	return count == (n + 7u) / 8u && bytes_skip(b, count);
}

static bool parse_write_registers(struct modbus_request *r, struct bytes *b, uint16_t max)
{
	uint16_t first, n;
	uint8_t count;

	bytes_be16(b, &first);
	bytes_be16(b, &n);
	if (b->failed || !range_touch(r, first, n, max) || !bytes_u8(b, &count))
		return false;
	last(r)->values = values_at(VALUES_U16BE, n, *b);
	return count == n * 2u && bytes_skip(b, count);
}

static bool parse_read_write(struct modbus_request *r, struct bytes *b)
{
	bool readable = parse_read(r, b, READ_REGISTERS_MAX);

	return !b->failed && parse_write_registers(r, b, READ_WRITE_MAX) && readable;
}

/* The result depends on the register's value, which only the device knows. */
static bool parse_mask_write(struct modbus_request *r, struct bytes *b)
{
	uint16_t first, and_mask, or_mask;

	last(r)->values.form = VALUES_UNKNOWN;
	if (!bytes_be16(b, &first) || !range_touch(r, first, 1, 1))
		return false;
	bytes_be16(b, &and_mask);
	bytes_be16(b, &or_mask);
	r->quantity = and_mask;
	r->value = or_mask;
	return true;
}

/* Head of a file sub-request: reference type 6, file 1..65535, record 0..9999, record length
 * in registers. */
static bool parse_file_head(struct bytes *b, uint16_t *ret_file, uint16_t *ret_record, uint16_t *ret_n)
{
	uint8_t reference;

	bytes_u8(b, &reference);
	bytes_be16(b, ret_file);
	bytes_be16(b, ret_record);
	bytes_be16(b, ret_n);
	return !b->failed && reference == 6 && *ret_file != 0 && *ret_record <= FILE_RECORD_MAX && *ret_n != 0;
}

/* Sets `quantity` to the number of sub-requests, and `value` to the registers that they ask for. */
static bool parse_read_file(struct modbus_request *r, struct bytes *b)
{
	uint8_t count;
	struct bytes list;
	uint32_t answer = 0, registers = 0, n = 0;
	uint16_t file, record, length;

	last(r)->place_unknown = true;
	if (!bytes_u8(b, &count) || count < 7 || count > 245 || !bytes_take(b, count, &list))
		return false;
	while (list.left > 0) {
		if (!parse_file_head(&list, &file, &record, &length) || length > RESPONSE_DATA_MAX / 2u)
			return false;
		answer += 2u + 2u * length;
		registers += length;
		n++;
		if (answer > RESPONSE_DATA_MAX)
			return false;
	}
	r->quantity = (uint16_t)n;
	r->value = (uint16_t)registers;
	return true;
}

/* Sets `address` to the first record, `quantity` to the bytes of data, and `value` to the first
 * file, because the answer repeats the request. */
static bool parse_write_file(struct modbus_request *r, struct bytes *b)
{
	uint8_t count;
	struct bytes list;
	uint16_t file, record, length;

	last(r)->place_unknown = true;
	last(r)->values.form = VALUES_UNKNOWN;
	if (!bytes_u8(b, &count) || count < 9 || count > 251 || !bytes_take(b, count, &list))
		return false;
	r->quantity = count;
	for (bool first = true; list.left > 0; first = false) {
		if (!parse_file_head(&list, &file, &record, &length) || !bytes_skip(&list, (size_t)length * 2u))
			return false;
		if (first) {
			r->value = file;
			r->address = record;
		}
	}
	return true;
}

/* The queue follows its count register (clause 6.18). Only the device knows how many entries
 * it has. */
static bool parse_fifo(struct modbus_request *r, struct bytes *b)
{
	uint16_t first, most;

	bytes_be16(b, &first);
	most = first > 65536u - MODBUS_QUEUE ? (uint16_t)(65536u - first) : MODBUS_QUEUE;
	return !b->failed && range_touch(r, first, most, MODBUS_QUEUE);
}

static void leave_open(struct modbus_request *r, struct bytes *b)
{
	last(r)->place_unknown = true;
	last(r)->values.form = VALUES_UNKNOWN;
	bytes_skip(b, b->left);
}

/* Sets `address` to the sub-function, `quantity` to the bytes of data, and `value` to the first
 * word of the data. */
static bool parse_diagnostics(struct modbus_request *r, struct bytes *b)
{
	uint16_t sub;
	size_t length;

	bytes_be16(b, &sub);
	length = b->left;
	if (b->failed)
		return false;
	r->address = sub;
	r->quantity = (uint16_t)length;
	if (sub == 0) { /* return query data: any number of words comes back */
		if (length < 2 || length % 2 != 0)
			return false;
		bytes_be16(b, &r->value);
		bytes_skip(b, b->left);
		return true;
	}
	/* reserved: layout and effect depend on the vendor */
	if (sub > 20 || (sub >= 5 && sub <= 9) || sub == 19) {
		leave_open(r, b);
		return true;
	}
	if (!bytes_be16(b, &r->value))
		return false;
	if (sub == 1)
		return r->value == 0 || r->value == 0xff00;
	if (sub == 3)
		return (r->value & 0xffu) == 0;
	return r->value == 0;
}

/* Sets `address` to the MEI type, and `quantity` to the read device id code. */
static bool parse_encapsulated(struct modbus_request *r, struct bytes *b)
{
	uint8_t mei, code, object;

	if (!bytes_u8(b, &mei))
		return false;
	r->address = mei;
	/* 13 carries CANopen, others are reserved: the contents may have any effect */
	if (mei != 14) {
		leave_open(r, b);
		return true;
	}
	bytes_u8(b, &code);
	bytes_u8(b, &object);
	r->quantity = code;
	return !b->failed && code >= 1 && code <= 4;
}

static bool parse_data(struct modbus_request *r, struct bytes *b)
{
	switch (r->function) {
	case MB_READ_COILS:
	case MB_READ_DISCRETE:
		return parse_read(r, b, READ_BITS_MAX);
	case MB_READ_HOLDING:
	case MB_READ_INPUT:
		return parse_read(r, b, READ_REGISTERS_MAX);
	case MB_WRITE_COIL:
	case MB_WRITE_REGISTER:
		return parse_write_single(r, b);
	case MB_EXCEPTION_STATUS:
	case MB_EVENT_COUNTER:
	case MB_EVENT_LOG:
	case MB_SERVER_ID:
		return true; /* no data, which the caller checks */
	case MB_DIAGNOSTICS:
		return parse_diagnostics(r, b);
	case MB_WRITE_COILS:
		return parse_write_bits(r, b);
	case MB_WRITE_REGISTERS:
		return parse_write_registers(r, b, WRITE_REGISTERS_MAX);
	case MB_READ_FILE:
		return parse_read_file(r, b);
	case MB_WRITE_FILE:
		return parse_write_file(r, b);
	case MB_MASK_WRITE:
		return parse_mask_write(r, b);
	case MB_READ_WRITE:
		return parse_read_write(r, b);
	case MB_READ_FIFO:
		return parse_fifo(r, b);
	case MB_ENCAPSULATED:
		return parse_encapsulated(r, b);
	default:
		leave_open(r, b);
		return true;
	}
}

/*
 * Unit 0 has two meanings: behind a serial gateway it is the broadcast, which is possible only for
 * functions that write (MODBUS over Serial Line V1.02, 2.1); on TCP/IP it is the device itself
 * (Messaging on TCP/IP V1.0b, 4.4.2.2). So a row that names no unit allows unit 0 for functions
 * that cannot be broadcasts. A write to unit 0 is allowed only by a row that names unit 0.
 */
static uint8_t modbus_broadcasts(uint8_t unit, uint8_t function)
{
	const struct function_info *f;

	if (unit != 0 || function == MB_UMAS)
		return 0;
	f = function_by_code(vocabulary_of(PROTO_MODBUS), function);
	return f != NULL && (f->classes & CLASS_WRITE) != 0;
}

/* Reads a request from the unit on. False: it is invalid or incomplete; the operations that could
 * be read are kept. */
static bool read_request(struct modbus_request *r, struct bytes *b)
{
	bytes_u8(b, &r->unit);
	bytes_u8(b, &r->function);
	r->operations[0] = (struct operation){ .service = r->function,
					       .targets = { r->unit },
					       .space = SPACE_NONE,
					       .broadcast = modbus_broadcasts(r->unit, r->function) };
	r->n = 1;
	r->wrong = r->function == 0 || r->function > 127 ? R_MODBUS_FIELD : R_ALLOWED;
	return !b->failed && r->wrong == R_ALLOWED && parse_data(r, b);
}

/* Sets the reason why the request is malformed: too few or too many bytes, a wrong count, or an
 * invalid value. */
static void tell_wrong(struct modbus_request *r, const struct bytes *b)
{
	bool counts =
		r->function == MB_WRITE_COILS || r->function == MB_WRITE_REGISTERS || r->function == MB_READ_WRITE;

	if (r->well_formed)
		r->wrong = R_ALLOWED;
	else if (b->failed || (r->wrong == R_ALLOWED && (counts || b->left > 0)))
		r->wrong = R_MODBUS_FRAME;
	else if (r->wrong == R_ALLOWED)
		r->wrong = R_MODBUS_FIELD;
}

void modbus_request_parse(struct bytes pdu, struct modbus_request *ret)
{
	uint16_t protocol, length;

	*ret = (struct modbus_request){ .wrong = R_MODBUS_FRAME };
	bytes_be16(&pdu, &ret->tid);
	bytes_be16(&pdu, &protocol);
	bytes_be16(&pdu, &length);
	if (pdu.failed || protocol != 0 || length != pdu.left)
		return;
	/* The request must use all bytes: none missing, none left over. */
	ret->well_formed = read_request(ret, &pdu) && bytes_done(&pdu);
	tell_wrong(ret, &pdu);
}

void modbus_request_begin(struct bytes pdu, struct modbus_request *ret)
{
	*ret = (struct modbus_request){ 0 };
	bytes_be16(&pdu, &ret->tid);
	bytes_skip(&pdu, 4);
	ret->well_formed = read_request(ret, &pdu) || pdu.failed;
	tell_wrong(ret, &pdu);
	for (uint8_t i = 0; i < ret->n; i++)
		if (ret->operations[i].values.form != VALUES_UNKNOWN)
			ret->operations[i].values = (struct values){ .form = VALUES_NONE };
}

bool modbus_request_forgiven(struct modbus_request *r)
{
	struct operation *o = &r->operations[r->n > 0 ? r->n - 1u : 0];

	o->values = (struct values){ .form = VALUES_UNKNOWN };
	return r->n > 0 && o->space != SPACE_NONE && o->count > 0 && o->first + o->count <= 65536u &&
	       (r->function == MB_WRITE_COIL || r->function == MB_WRITE_REGISTER || r->function == MB_WRITE_COILS ||
		r->function == MB_WRITE_REGISTERS || r->function == MB_READ_WRITE);
}

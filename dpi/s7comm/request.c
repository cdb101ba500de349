/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/s7comm/s7comm.h"

#define BLOCK_NAME 8u /* "0A00001P": kind, number, file system */

/* Adds the operation of a request of which only the code is known. */
static uint32_t opaque(struct operation *o, uint32_t service)
{
	*o = (struct operation){
		.service = service, .space = SPACE_NONE, .place_unknown = true, .values = { .form = VALUES_UNKNOWN }
	};
	return 1;
}

/* An operation that touches no address. */
static uint32_t plain_operation(struct operation *o, uint32_t service)
{
	*o = (struct operation){ .service = service, .space = SPACE_NONE };
	return 1;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static uint32_t variables(const struct s7_message *m, uint32_t service, struct operation *operations, bool *ret_good)
{
	struct bytes b = m->parameters, items;
	uint8_t n;

	opaque(operations, service);
	*ret_good = false;
	if (!bytes_u8(&b, &n) || n == 0)
		return 1;
	items = b;
	if (!s7_items(&b, n, service, operations) || !bytes_done(&b))
		return 1;
	*ret_good = m->function == S7_READ ? m->data.left == 0 : s7_items_values(m->data, n, items, operations);
	return n;
}

/* Reads zeros that have the position of numbers in an answer. */
static bool zeros(struct bytes *b, size_t n)
{
	uint8_t byte;

	for (; n > 0; n--)
		if (!bytes_u8(b, &byte) || byte != 0)
			return false;
	return true;
}

static bool counted_bytes(struct bytes *b, struct bytes *ret)
{
	uint8_t n;

	return bytes_u8(b, &n) && bytes_take(b, n, ret);
}

static bool is_word(struct bytes b, const char *word, size_t n)
{
	return b.left == n && bytes_starts(&b, word, n);
}

#define IS(b, word) is_word(b, word, sizeof(word) - 1)

/* Reads "_" and the name of a block: "_0A00001P"; for a download also "1" and the sizes. */
static bool block_request(struct bytes b, bool sizes)
{
	struct bytes name, rest;
	uint8_t status;
	uint32_t id;
	uint16_t reserved;

	bytes_u8(&b, &status);
	bytes_be16(&b, &reserved);
	bytes_be32(&b, &id);
	if (b.failed || !counted_bytes(&b, &name) || name.left == 0)
		return false;
	if (!sizes)
		return bytes_done(&b);
	return counted_bytes(&b, &rest) && rest.left > 0 && bytes_done(&b);
}

/* Reads the blocks of _INSE and _DELE: their number, a zero, their names. */
static bool block_list(struct bytes b)
{
	uint8_t n, reserved;

	bytes_u8(&b, &n);
	bytes_u8(&b, &reserved);
	return !b.failed && n > 0 && reserved == 0 && b.left == n * BLOCK_NAME;
}

static bool holds_underscore(struct bytes b)
{
	uint8_t byte;

	while (b.left > 0)
		if (bytes_u8(&b, &byte) && byte == '_')
			return true;
	return false;
}

/*
 * A PI service is identified by its name. Some servers differ: python-snap7's server searches for a
 * name anywhere, snap7's server goes by the total length. So a name counts only together with the
 * arguments that belong to it.
 */
static uint32_t pi_service(struct bytes arguments, struct bytes name)
{
	if (holds_underscore(arguments))
		return S7_PI_OTHER;
	if (IS(name, "_INSE") && block_list(arguments))
		return S7_PI_INSERT;
	if (IS(name, "_DELE") && block_list(arguments))
		return S7_PI_DELETE;
	if (IS(name, "P_PROGRAM") && arguments.left == 0)
		return S7_PI_START;
	if (IS(name, "P_PROGRAM") && IS(arguments, "C "))
		return S7_PI_START_COLD;
	if (IS(name, "_MODU") && IS(arguments, "EP"))
		return S7_PI_RAM_TO_ROM;
	if (IS(name, "_GARB") && arguments.left == 0)
		return S7_PI_COMPRESS;
	return S7_PI_OTHER;
}

static uint32_t invoke(const struct s7_message *m, struct operation *o, bool *ret_good)
{
	struct bytes b = m->parameters, arguments, name;
	uint16_t n_arguments;
	uint8_t mark;
	uint32_t service;

	opaque(o, S7_FUNCTION(S7_PI));
	*ret_good = zeros(&b, 6) && bytes_u8(&b, &mark) && mark == 0xfd && bytes_be16(&b, &n_arguments) &&
		    bytes_take(&b, n_arguments, &arguments) && counted_bytes(&b, &name) && name.left > 0 &&
		    bytes_done(&b) && m->data.left == 0;
	if (!*ret_good)
		return 1;
	service = pi_service(arguments, name);
	return service == S7_PI_OTHER ? 1 : plain_operation(o, S7_FUNCTION(S7_PI) | service);
}

static bool is_stop(struct bytes b)
{
	struct bytes name;

	return zeros(&b, 5) && counted_bytes(&b, &name) && IS(name, "P_PROGRAM") && bytes_done(&b);
}

static uint32_t job(const struct s7_message *m, struct operation *operations, bool *ret_good)
{
	uint32_t service = S7_FUNCTION(m->function);
	bool no_data = m->data.left == 0;

	switch (m->function) {
	case S7_READ:
	case S7_WRITE:
		return variables(m, service, operations, ret_good);
	case S7_SETUP:
		*ret_good = s7_setup_size(m) > 0;
		return plain_operation(operations, service);
	case S7_REQUEST_DOWNLOAD:
		*ret_good = no_data && block_request(m->parameters, true);
		return plain_operation(operations, service);
	case S7_START_UPLOAD:
	case S7_DOWNLOAD_BLOCK:
	case S7_DOWNLOAD_ENDED:
		*ret_good = no_data && block_request(m->parameters, false);
		return plain_operation(operations, service);
	case S7_UPLOAD:
	case S7_END_UPLOAD:
		*ret_good = no_data && m->parameters.left == 7;
		return plain_operation(operations, service);
	case S7_PI:
		return invoke(m, operations, ret_good);
	case S7_STOP:
		*ret_good = no_data && is_stop(m->parameters);
		return plain_operation(operations, service);
	default:
		*ret_good = true;
		return opaque(operations, service);
	}
}

/* ---- userdata -------------------------------------------------------------------------------- */

/* Reads result, type and length, and the data, which must have that length. */
static bool take_enclosed(struct bytes b, struct bytes *ret)
{
	uint8_t result, type;
	uint16_t length;

	bytes_u8(&b, &result);
	bytes_u8(&b, &type);
	bytes_be16(&b, &length);
	return bytes_take(&b, length, ret) && bytes_done(&b);
}

/* Reads an interval, and items as in a read. */
static uint32_t cyclic(const struct s7_message *m, struct bytes b, struct operation *operations, bool *ret_good)
{
	uint8_t first, n, base, factor;

	*ret_good = true;
	bytes_u8(&b, &first);
	bytes_u8(&b, &n);
	bytes_u8(&b, &base);
	bytes_u8(&b, &factor);
	if (b.failed || first != 0 || !s7_items(&b, n, S7_SUB(m->group, m->sub), operations) || !bytes_done(&b))
		return opaque(operations, S7_SUB(m->group, m->sub));
	return n;
}

static uint32_t userdata(const struct s7_message *m, struct operation *operations, bool *ret_good)
{
	const struct function_info *f = function_by_code(&vocabulary_s7comm, S7_SUB(m->group, m->sub));
	struct bytes data;

	*ret_good = take_enclosed(m->data, &data);
	if (!*ret_good || f == NULL || f->untold != 0)
		return opaque(operations, S7_SUB(m->group, m->sub));
	if (m->group == S7_CYCLIC && f->spaces != 0)
		return cyclic(m, data, operations, ret_good);
	return plain_operation(operations, S7_SUB(m->group, m->sub));
}

uint32_t s7_request_operations(const struct s7_message *m, struct operation *operations, enum reason *ret_wrong)
{
	bool good = false;
	uint32_t n = m->kind == S7_USERDATA ? userdata(m, operations, &good) : job(m, operations, &good);

	*ret_wrong = good ? R_ALLOWED : R_S7COMM_FRAME;
	return n;
}

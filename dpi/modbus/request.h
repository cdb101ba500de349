/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus requests and responses as the specification describes them: the operations of a request,
 * and whether a response has the shape of its answer.
 */
#ifndef SEKISHO_DPI_MODBUS_REQUEST_H
#define SEKISHO_DPI_MODBUS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/operation.h"
#include "dpi/modbus/words.h"
#include "dpi/protocol.h"

#define MODBUS_PDU_MAX 260 /* bytes: 7 of header, 253 of function and data */
enum modbus_function {
	MB_READ_COILS = 1,
	MB_READ_DISCRETE = 2,
	MB_READ_HOLDING = 3,
	MB_READ_INPUT = 4,
	MB_WRITE_COIL = 5,
	MB_WRITE_REGISTER = 6,
	MB_EXCEPTION_STATUS = 7,
	MB_DIAGNOSTICS = 8,
	MB_EVENT_COUNTER = 11,
	MB_EVENT_LOG = 12,
	MB_WRITE_COILS = 15,
	MB_WRITE_REGISTERS = 16,
	MB_SERVER_ID = 17,
	MB_READ_FILE = 20,
	MB_WRITE_FILE = 21,
	MB_MASK_WRITE = 22,
	MB_READ_WRITE = 23,
	MB_READ_FIFO = 24,
	MB_ENCAPSULATED = 43,
	MB_UMAS = 90,
};

#define MODBUS_OPERATIONS 2u /* of one request: function 23 reads, then writes */

struct modbus_request {
	uint16_t tid;
	uint8_t unit;
	uint8_t function;
	/* false: only the three fields before this one, and perhaps the addresses of an operation,
	 * are valid */
	bool well_formed;
	/* enum reason: what is wrong with the request; R_ALLOWED when it is well-formed */
	uint8_t wrong;
	uint8_t n; /* operations, one group; written values are borrowed from the PDU */
	struct operation operations[MODBUS_OPERATIONS];
	/* The values that the answer must repeat; their meaning depends on the function. */
	uint16_t address, quantity, value;
};

/* `pdu` is one whole PDU with its MBAP header. */
void modbus_request_parse(struct bytes pdu, struct modbus_request *ret);
/*
 * Reads the beginning of a request as far as it has come, without values. Only for functions of
 * which all servers determine the length in the same way, at least up to the end of `pdu`. If the
 * first operation has no addresses (SPACE_NONE), they have not come yet. `well_formed`: the request
 * may still become well-formed.
 */
void modbus_request_begin(struct bytes pdu, struct modbus_request *ret);
/*
 * Whether this is a malformed request that some servers carry out nevertheless: a coil value that
 * is neither on nor off, or a byte count that does not fit. The written values are then set to
 * unknown.
 */
bool modbus_request_forgiven(struct modbus_request *r);

/* The address space that a function's addresses lie in; SPACE_NONE when it has none. */
uint8_t modbus_space(uint8_t function);
/* Whether the function touches one address and has no quantity field. */
bool modbus_single(uint8_t function);

/*
 * True when `data` (the bytes after the function code) have the form of this function's answer to a
 * request with these numbers. Not for exceptions. For functions whose layout the specification
 * leaves open, any data fit.
 */
bool modbus_response_fits(uint8_t function, uint16_t address, uint16_t quantity, uint16_t value, struct bytes data);
/* Whether `data` could answer some request of this function. */
bool modbus_response_possible(uint8_t function, struct bytes data);

#endif

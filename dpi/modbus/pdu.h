/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus requests and responses as the specification describes them: the operations of a request, and whether a response has
 * the shape of its answer. Part of the Modbus enforcer, used by nobody else. Pure; knows no policy.
 */
#ifndef SEKISHO_DPI_MODBUS_PDU_H
#define SEKISHO_DPI_MODBUS_PDU_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/operation.h"
#include "appliance/wire/reason.h"
#include "dpi/modbus/words.h"

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
	bool well_formed; /* false: only the three fields before this one, and perhaps an operation's addresses, mean something */
	uint8_t wrong; /* enum reason: what is wrong with it otherwise; R_ALLOWED when it is well-formed */
	uint8_t n;     /* operations, one group; written values are borrowed from the PDU */
	struct operation operations[MODBUS_OPERATIONS];
	/* What an answer is compared with; the meaning depends on the function. */
	uint16_t address, quantity, value;
};

/* `pdu` is one whole PDU with its MBAP header. */
void modbus_request_parse(struct bytes pdu, struct modbus_request *ret);
/*
 * The same of the beginning of one whose function servers frame alike, at least up to that: what it asks for as far as it is there,
 * without values. Where its first operation has no addresses (SPACE_NONE), they are still to come. Well-formed: it may become so.
 */
void modbus_request_begin(struct bytes pdu, struct modbus_request *ret);
/*
 * One that is not well formed, and some servers carry out all the same: a coil that is neither on nor off, a count of bytes that does not
 * fit. Which values they write then, nobody knows.
 */
bool modbus_request_forgiven(struct modbus_request *r);

/* The address space that a function's addresses lie in; SPACE_NONE when it has none. */
uint8_t modbus_space(uint8_t function);
/* Functions that touch one address and have no quantity field. */
bool modbus_single(uint8_t function);

/*
 * True when `data` (what follows the function code) is how this function answers a request with these numbers. Not for
 * exceptions. Functions whose layout the specification leaves open pass with any data.
 */
bool modbus_response_fits(uint8_t function, uint16_t address, uint16_t quantity, uint16_t value, struct bytes data);
/* Whether there is a request of this function that `data` would answer. */
bool modbus_response_possible(uint8_t function, struct bytes data);

#endif

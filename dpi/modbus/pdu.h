/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus requests and responses as the specification describes them: what a request touches and writes, and whether a
 * response has the shape of its answer. Part of the Modbus enforcer, used by nobody else. Pure; knows no policy.
 */
#ifndef SEKISHO_DPI_MODBUS_PDU_H
#define SEKISHO_DPI_MODBUS_PDU_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

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

enum modbus_written { MB_WRITES_NOTHING, MB_WRITES_BITS, MB_WRITES_REGISTERS };

/* A run of data addresses, from 0; n >= 1 and first + n <= 65536. */
struct modbus_touch {
	uint8_t space; /* enum modbus_space */
	uint32_t first;
	uint32_t n;
};

struct modbus_request {
	uint16_t tid;
	uint8_t unit;
	uint8_t function;
	bool well_formed;   /* false: only the four fields before this one, and perhaps touches, mean something */
	bool place_unknown; /* allowed only where no address space is restricted */
	bool value_unknown; /* allowed only where no value is restricted */
	uint8_t n_touches;  /* at most 2: function 23 reads the first and writes the second */
	struct modbus_touch touches[2];
	enum modbus_written written;
	struct bytes values; /* what is written, borrowed from the PDU: bits from the lowest up, or registers */
	uint32_t n_values;
	/* What an answer is compared with; the meaning depends on the function. */
	uint16_t address, quantity, value;
};

/* `pdu` is one whole PDU with its MBAP header. */
void modbus_request_parse(struct bytes pdu, struct modbus_request *ret);
/* The k-th written value; k < n_values. */
uint16_t modbus_request_value(const struct modbus_request *r, uint32_t k);

#define MODBUS_NO_SPACE 255

/* The address space that a function's addresses lie in; MODBUS_NO_SPACE when it has none. */
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

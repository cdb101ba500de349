/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Modbus PDUs and judges them, with desk.h. */
#ifndef SEKISHO_TESTS_MODBUS_DESK_H
#define SEKISHO_TESTS_MODBUS_DESK_H

#include "dpi/modbus/request.h"

#define DESK_ENFORCER modbus_enforcer
#include "dpi/modbus/words.h"
#include "tests/unit/dpi/desk.h"

static inline const struct pdu *desk_pdu(struct desk *d, enum direction dir, uint16_t tid, uint8_t unit,
					 uint8_t function, const uint8_t *data, size_t n)
{
	uint8_t pdu[MODBUS_PDU_MAX];

	memcpy(pdu, (uint8_t[]){ (uint8_t)(tid >> 8), (uint8_t)tid, 0, 0, 0, (uint8_t)(n + 2), unit, function }, 8);
	if (n > 0)
		memcpy(pdu + 8, data, n);
	return desk_judge(d, dir, pdu, n + 8);
}

static inline const struct pdu *request(struct desk *d, uint16_t tid, uint8_t unit, uint8_t function,
					const uint8_t *data, size_t n)
{
	return desk_pdu(d, DIR_C2S, tid, unit, function, data, n);
}

static inline const struct pdu *response(struct desk *d, uint16_t tid, uint8_t unit, uint8_t function,
					 const uint8_t *data, size_t n)
{
	return desk_pdu(d, DIR_S2C, tid, unit, function, data, n);
}

/* Function 23; every register is written with `value`. */
static inline const struct pdu *read_write(struct desk *d, uint16_t read_at, uint16_t read_n, uint16_t write_at,
					   uint16_t write_n, uint16_t value)
{
	uint8_t data[252];
	uint16_t words[4] = { read_at, read_n, write_at, write_n };

	for (size_t i = 0; i < 4; i++) {
		data[2 * i] = (uint8_t)(words[i] >> 8);
		data[2 * i + 1] = (uint8_t)words[i];
	}
	data[8] = (uint8_t)(write_n * 2);
	for (size_t i = 0; i < write_n && 9 + 2 * i + 2 <= sizeof(data); i++) {
		data[9 + 2 * i] = (uint8_t)(value >> 8);
		data[10 + 2 * i] = (uint8_t)value;
	}
	return request(d, 1, 1, 23, data, 9u + 2u * write_n);
}

#endif

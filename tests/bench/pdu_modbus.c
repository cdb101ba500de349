/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dpi/modbus_desk.h"

#include "tests/bench/pdu.h"

static void fill(struct desk *d, struct command_row *row, bool elsewhere)
{
	row->services = DESK_ONLY(d, 3, 16);
	row->targets[0] = DESK_ONLY(d, 1);
	desk_space(d, row, MODBUS_HOLDING,
		   desk_ranges(d, elsewhere ? (uint32_t[]){ 1000, 1199 } : (uint32_t[]){ 0, 199 }, 1));
}

static void rows(struct desk *d, unsigned more)
{
	rows_alike(d, more, fill);
}

static void begin(struct desk *d)
{
	desk_reset(d);
}

static struct said message(uint8_t function, const uint8_t *head, size_t n, size_t registers)
{
	struct said s = { .n = 8 + n + 2 * registers };

	memcpy(s.b, (uint8_t[]){ 0, 7, 0, 0, 0, (uint8_t)(s.n - 6), 1, function }, 8);
	memcpy(s.b + 8, head, n);
	for (size_t i = 0; i < registers; i++)
		s.b[8 + n + 2 * i + 1] = (uint8_t)i;
	return s;
}

static size_t exchanges(struct exchange ret[EXCHANGES])
{
	ret[0] = (struct exchange){ "read 10 registers", message(3, (uint8_t[]){ 0, 20, 0, 10 }, 4, 0),
				    message(3, (uint8_t[]){ 20 }, 1, 10) };
	ret[1] = (struct exchange){ "read 125 registers", message(3, (uint8_t[]){ 0, 20, 0, 125 }, 4, 0),
				    message(3, (uint8_t[]){ 250 }, 1, 125) };
	ret[2] = (struct exchange){ "write 10 registers", message(16, (uint8_t[]){ 0, 20, 0, 10, 20 }, 5, 10),
				    message(16, (uint8_t[]){ 0, 20, 0, 10 }, 4, 0) };
	return 3;
}

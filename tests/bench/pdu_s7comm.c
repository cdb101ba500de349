/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dpi/s7comm_desk.h"

#include "tests/bench/pdu.h"

#define BIT(byte) ((byte)*8u)
/* From this byte on the row names each byte alone: a write under a limit of values needs that. */
#define WRITTEN 190u
#define BYTES 200u
#define IN_BLOCK(block, byte) ((uint64_t)(block) << S7_AREA_BITS | BIT(byte))

static void rows(struct desk *d, unsigned more)
{
	desk_empty(d);
	for (unsigned k = 0; k <= more; k++) {
		struct command_row *row = codes(d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_WRITE));

		unsigned block = k < more ? 2 : 1;
		struct number_set places;

		row->values = desk_range(d, 0, 1000);
		places = desk_range(d, IN_BLOCK(block, 0), IN_BLOCK(block, WRITTEN) - 1);
		for (unsigned byte = WRITTEN; byte < BYTES; byte++, places.n++)
			desk_range(d, IN_BLOCK(block, byte), IN_BLOCK(block, byte + 1) - 1);
		desk_space(d, row, S7_DB, places);
	}
}

static void begin(struct desk *d)
{
	open_session(d, RACK_0_SLOT_2, "03c0");
}

static struct said in_one(struct made message)
{
	struct made m = { .n = 0 };

	put_dt(&m, 0x80, message.b, message.n);
	return said_of(m.b, m.n);
}

/* An exchange with `items` items of `bytes` bytes each in DB1: a read or a write, and its
 * answer. */
static struct exchange exchange(const char *name, bool write, unsigned items, unsigned bytes)
{
	struct made asked = { .n = 0 }, values = { .n = 0 }, back = { .n = 0 }, done = { .n = 0 }, none = { .n = 0 };

	put8(&asked, write ? S7_WRITE : S7_READ);
	put8(&asked, items);
	put(&back, asked.b, asked.n);
	for (unsigned i = 0; i < items; i++) {
		put_item(&asked, 2, bytes, 1, 0x84, BIT((write ? WRITTEN : 0) + 10 * i));
		put8(&values, write ? 0 : 0xff);
		put8(&values, 4);
		put16(&values, BIT(bytes));
		for (unsigned k = 0; k < bytes + (bytes & 1u); k++)
			put8(&values, k);
		put8(&done, 0xff);
	}
	return (struct exchange){ name, in_one(message(1, 7, &asked, write ? &values : &none)),
				  in_one(message(3, 7, &back, write ? &done : &values)) };
}

static size_t exchanges(struct exchange ret[EXCHANGES])
{
	ret[0] = exchange("read 10 bytes", false, 1, 10);
	ret[1] = exchange("write 10 bytes", true, 1, 10);
	ret[2] = exchange("read 10 items of 10 bytes", false, 10, 10);
	return 3;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dpi/iec104_desk.h"

#include "tests/bench/pdu.h"

static void fill(struct desk *d, struct command_row *row, bool elsewhere)
{
	row->services = desk_ranges(d, (uint32_t[]){ 45, 45, 49, 49, 102, 102 }, 3);
	desk_space(d, row, IEC104_IOA,
		   desk_ranges(d, elsewhere ? (uint32_t[]){ 1000, 1199 } : (uint32_t[]){ 0, 199 }, 1));
}

static void rows(struct desk *d, unsigned more)
{
	rows_alike(d, more, fill);
}

/* Each end counts what it sends, and acknowledges all of the other's. */
static void number(enum direction dir, struct said *s)
{
	uint16_t sent = numbers[dir], seen = numbers[!dir];

	s->b[2] = (uint8_t)(sent << 1);
	s->b[3] = (uint8_t)(sent >> 7);
	s->b[4] = (uint8_t)(seen << 1);
	s->b[5] = (uint8_t)(seen >> 7);
	numbers[dir] = (sent + 1u) & 0x7fffu;
}

static void begin(struct desk *d)
{
	start(d);
	numbered = number;
}

static struct exchange exchange(const char *name, const char *asked, const char *told)
{
	struct apdu a = i_frame(0, 0, asked), b = i_frame(0, 0, told);

	return (struct exchange){ name, said_of(a.p, a.n), said_of(b.p, b.n) };
}

static size_t exchanges(struct exchange ret[EXCHANGES])
{
	size_t n = 0;

	ret[n++] = exchange("read a point", "66 01 0500 0100 140000", "0d 01 0500 0100 140000 0000c03f 00");
	ret[n++] = exchange("set a value", "31 01 0600 0100 140000 0500 00", "31 01 0700 0100 140000 0500 00");
	ret[n++] = exchange("switch a point", "2d 01 0600 0100 140000 01", "2d 01 0700 0100 140000 01");
	return n;
}

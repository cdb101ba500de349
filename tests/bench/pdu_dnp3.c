/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dpi/dnp3_desk.h"

#include "tests/bench/pdu.h"

static void fill(struct desk *d, struct command_row *row, bool elsewhere)
{
	struct number_set places = desk_ranges(d, elsewhere ? (uint32_t[]){ 1000, 1199 } : (uint32_t[]){ 0, 199 }, 1);

	row->services =
		desk_ranges(d, (uint32_t[]){ DNP3_READ, DNP3_READ, DNP3_DIRECT_OPERATE, DNP3_DIRECT_OPERATE }, 2);
	desk_space(d, row, DNP3_BINARY_INPUTS, places);
	desk_space(d, row, DNP3_BINARY_OUTPUTS, places);
}

static void rows(struct desk *d, unsigned more)
{
	rows_alike(d, more, fill);
}

static void begin(struct desk *d)
{
	desk_reset(d);
}

static struct exchange exchange(const char *name, const char *asked, const char *told)
{
	struct wire a = request(asked), b = response(told);

	return (struct exchange){ name, said_of(a.p, a.n), said_of(b.p, b.n) };
}

static size_t exchanges(struct exchange ret[EXCHANGES])
{
	size_t n = 0;

	ret[n++] = exchange("read 10 inputs", "c3 01 01 02 00 14 1d", "c3 81 0000 01 02 00 14 1d 01010101010101010101");
	ret[n++] = exchange("operate an output", "c3 05 0c 01 17 01 14 03 01 64000000 64000000 00",
			    "c3 81 0000 0c 01 17 01 14 03 01 64000000 64000000 00");
	return n;
}

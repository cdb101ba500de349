/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dpi/opcua_desk.h"

#include "tests/bench/pdu.h"

#define NODES(lo, hi) ((uint64_t)2 << OPCUA_IDENTIFIER_BITS | (lo)), ((uint64_t)2 << OPCUA_IDENTIFIER_BITS | (hi))

static void fill(struct desk *d, struct command_row *row, bool elsewhere)
{
	row->services = desk_ranges(d, (uint32_t[]){ 631, 631, OPCUA_WRITE, OPCUA_WRITE }, 2);
	desk_space(d, row, OPCUA_NODES, elsewhere ? desk_range(d, NODES(1000, 1199)) : desk_range(d, NODES(0, 199)));
}

static void rows(struct desk *d, unsigned more)
{
	rows_alike(d, more, fill);
}

/* The number of the chunk and of the request, behind the size, the channel and its token. */
static void number(enum direction dir, struct said *s)
{
	struct message m = { .n = 0 };

	requests += dir == DIR_C2S;
	put_numbers(&m, dir, requests);
	memcpy(s->b + 16, m.p, m.n);
}

static void begin(struct desk *d)
{
	start(d);
	numbered = number;
}

static size_t exchanges(struct exchange ret[EXCHANGES])
{
	static const char one[] = "01 02 %02x00 0d000000 ffffffff 0000 ffffffff";
	struct message asked = said("MSGF", DIR_C2S, 1, 631, "0000000000000000 02000000 0a000000"), told;
	char node[64];
	size_t n = 0;

	for (unsigned i = 0; i < 10; i++) {
		snprintf(node, sizeof(node), one, 20 + i);
		put_hex(&asked, node);
	}
	asked = sized(asked);
	told = said("MSGF", DIR_S2C, 1, 634, "0a000000");
	for (unsigned i = 0; i < 10; i++)
		put_hex(&told, "01 06 05000000");
	put_hex(&told, "00000000");
	told = sized(told);
	ret[n++] = (struct exchange){ "read 10 nodes", said_of(asked.p, asked.n), said_of(told.p, told.n) };
	snprintf(node, sizeof(node), "01 02 %02x00 0d000000 ffffffff 01 06 05000000", 20);
	asked = said("MSGF", DIR_C2S, 1, OPCUA_WRITE, "01000000");
	put_hex(&asked, node);
	asked = sized(asked);
	told = said("MSGF", DIR_S2C, 1, 676, "01000000 00000000 00000000");
	ret[n++] = (struct exchange){ "write a node", said_of(asked.p, asked.n), said_of(told.p, told.n) };
	return n;
}

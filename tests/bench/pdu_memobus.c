/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dpi/memobus_desk.h"

#include "tests/bench/pdu.h"

static void fill(struct desk *d, struct command_row *row, bool elsewhere)
{
	row->services = desk_ranges(d,
				    (uint32_t[]){ MEMOBUS_READ_HOLDING_MORE, MEMOBUS_READ_HOLDING_MORE,
						  MEMOBUS_WRITE_HOLDING_MORE, MEMOBUS_WRITE_HOLDING_MORE,
						  MEMOBUS_READ_LIST, MEMOBUS_READ_LIST },
				    3);
	desk_space(d, row, MEMOBUS_HOLDING,
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

static struct exchange exchange(const char *name, struct message asked, const char *told, unsigned words)
{
	struct message answer = message_of(MEMOBUS_RESPONSE, 7, told);

	for (unsigned i = 0; i < words; i++)
		put_hex(&answer, "0500");
	seal(&answer);
	seal(&asked);
	return (struct exchange){ name, said_of(asked.p, asked.n), said_of(answer.p, answer.n) };
}

static size_t exchanges(struct exchange ret[EXCHANGES])
{
	struct message asked = message_of(MEMOBUS_COMMAND, 7, "20 09 10 00 1400 0a00");
	size_t n = 0;

	ret[n++] = exchange("read 10 words", asked, "20 09 01 00 0a00", 10);
	asked = message_of(MEMOBUS_COMMAND, 7, "20 0b 10 00 1400 0a00");
	for (unsigned i = 0; i < 10; i++)
		put_hex(&asked, "0500");
	ret[n++] = exchange("write 10 words", asked, "20 0b 01 00 1400 0a00", 0);
	asked = message_of(MEMOBUS_COMMAND, 7, "20 0d 10 00 1400");
	for (uint8_t i = 0; i < 20; i++) {
		asked.p[asked.n++] = (uint8_t)(2 * i);
		asked.p[asked.n++] = 0;
	}
	ret[n++] = exchange("read 20 single words", asked, "20 0d 01 00 1400", 20);
	return n;
}

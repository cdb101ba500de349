/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dpi/fins_desk.h"

#include "tests/bench/pdu.h"

static void fill(struct desk *d, struct command_row *row, bool elsewhere)
{
	row->services = desk_ranges(
		d, (uint32_t[]){ 0x01010000, 0x01010000, 0x01020000, 0x01020000, 0x01040000, 0x01040000 }, 3);
	desk_space(d, row, FINS_D, desk_ranges(d, elsewhere ? (uint32_t[]){ 1000, 1199 } : (uint32_t[]){ 0, 199 }, 1));
}

static void rows(struct desk *d, unsigned more)
{
	rows_alike(d, more, fill);
}

static void begin(struct desk *d)
{
	desk_reset(d);
}

static struct exchange exchange(const char *name, const struct frame *asked, uint16_t command, size_t back)
{
	struct frame told = answer_of(7, command, 0, back), request = over_tcp(2, 0, asked->p, asked->n),
		     answer = over_tcp(2, 0, told.p, told.n);

	return (struct exchange){ name, said_of(request.p, request.n), said_of(answer.p, answer.n) };
}

static size_t exchanges(struct exchange ret[EXCHANGES])
{
	struct frame asked = request_of(7, "0101 82 0014 00 000a");
	size_t n = 0;

	ret[n++] = exchange("read 10 words", &asked, 0x0101, 20);
	asked = request_of(7, "0102 82 0014 00 000a");
	for (unsigned i = 0; i < 10; i++)
		put_hex(&asked, "0005");
	ret[n++] = exchange("write 10 words", &asked, 0x0102, 0);
	asked = request_of(7, "0104");
	for (unsigned i = 0; i < 20; i++)
		put_bytes(&asked, (uint8_t[]){ 0x82, 0, (uint8_t)(2 * i), 0 }, 4);
	ret[n++] = exchange("read 20 single words", &asked, 0x0104, 60);
	return n;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dpi/slmp_desk.h"

#include "tests/bench/pdu.h"

#define BINARY SLMP_FORM
#define ASCII (SLMP_FORM | SLMP_ASCII)

static void fill(struct desk *d, struct command_row *row, bool elsewhere)
{
	row->services = desk_ranges(
		d, (uint32_t[]){ 0x04010000, 0x04010000, 0x04030000, 0x04030000, 0x14010000, 0x14010000 }, 3);
	desk_space(d, row, SLMP_D, desk_ranges(d, elsewhere ? (uint32_t[]){ 1000, 1199 } : (uint32_t[]){ 0, 199 }, 1));
}

static void rows(struct desk *d, unsigned more)
{
	rows_alike(d, more, fill);
}

static void begin(struct desk *d)
{
	desk_reset(d);
}

static struct exchange exchange(const char *name, uint8_t form, uint32_t service, const struct text *data,
				const struct text *back)
{
	struct text request = request_of(form, 7, own, service, data), answer = answer_of(form, 7, own, 0, back);

	return (struct exchange){ name, said_of(request.p, request.n), said_of(answer.p, answer.n) };
}

/* A request for ten words of D from 20: a read, or a write with its data. */
static struct text ten(uint8_t form, bool written)
{
	struct text t = data_of(form), values = words(form, written ? 10 : 0, 5);

	put_d(&t, false, 20);
	put(&t, 2, 10);
	put_raw(&t, values.p, values.n);
	return t;
}

static struct text twenty_places(uint8_t form)
{
	struct text t = data_of(form);

	put(&t, 1, 20);
	put(&t, 1, 0);
	for (uint32_t i = 0; i < 20; i++)
		put_d(&t, false, 2 * i);
	return t;
}

static size_t exchanges(struct exchange ret[EXCHANGES])
{
	static struct text asked, back;
	size_t n = 0;

	asked = ten(BINARY, false);
	back = words(BINARY, 10, 5);
	ret[n++] = exchange("read 10 words", BINARY, 0x04010000, &asked, &back);
	asked = ten(BINARY, true);
	back = data_of(BINARY);
	ret[n++] = exchange("write 10 words", BINARY, 0x14010000, &asked, &back);
	asked = twenty_places(BINARY);
	back = words(BINARY, 20, 5);
	ret[n++] = exchange("read 20 single words", BINARY, 0x04030000, &asked, &back);
	asked = ten(ASCII, false);
	back = words(ASCII, 10, 5);
	ret[n++] = exchange("read 10 words, in ASCII", ASCII, 0x04010000, &asked, &back);
	return n;
}

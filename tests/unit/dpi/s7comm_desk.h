/* SPDX-License-Identifier: Apache-2.0 */
/* Writes TPDUs, messages and items of S7comm and judges them, with desk.h. */
#ifndef SEKISHO_TESTS_S7COMM_DESK_H
#define SEKISHO_TESTS_S7COMM_DESK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dpi/s7comm/transport.h"
#include "dpi/s7comm/words.h"

#define DESK_ENFORCER s7comm_enforcer
#include "tests/unit/dpi/desk.h"

#define DESK_IDLE __attribute__((unused))

/* Bytes that a test has put together. */
struct made {
	uint8_t b[S7_PDU_MAX + 64];
	size_t n;
};

static inline void put(struct made *m, const void *p, size_t n)
{
	if (n > sizeof(m->b) - m->n)
		abort();
	if (n > 0)
		memcpy(m->b + m->n, p, n);
	m->n += n;
}

static inline void put8(struct made *m, unsigned v)
{
	put(m, &(uint8_t){ (uint8_t)v }, 1);
}

static inline void put16(struct made *m, unsigned v)
{
	put8(m, v >> 8);
	put8(m, v & 0xffu);
}

/* Appends bytes from hexadecimal, such as "0300 0016"; blanks may be anywhere. */
static inline void put_hex(struct made *m, const char *hex)
{
	for (; *hex != '\0'; hex++) {
		char two[3] = { hex[0], hex[1], '\0' };

		if (*hex == ' ')
			continue;
		put8(m, (unsigned)strtoul(two, NULL, 16));
		hex++;
	}
}

/* ---- the policy ---- */

/* A policy that grants nothing; rows may be added. */
static inline void desk_empty(struct desk *d)
{
	desk_clear(d);
}

/* Adds a row that allows the codes lo to hi for every address and every target. */
static inline struct command_row *codes(struct desk *d, uint32_t lo, uint32_t hi)
{
	struct command_row *row = desk_grant(d, d->permit.n_grants, 100 + d->permit.n_grants, false);

	row->services = desk_range(d, lo, hi);
	return row;
}

/* Limits the row to these addresses of one space. */
static inline void desk_place(struct desk *d, struct command_row *row, uint8_t space, uint64_t first, uint64_t count)
{
	desk_space(d, row, space, desk_range(d, first, first + count - 1));
}

/* ---- lower layers ---- */

static inline void put_dt(struct made *m, unsigned end, const void *p, size_t n)
{
	put8(m, 3);
	put8(m, 0);
	put16(m, (unsigned)n + 7);
	put_hex(m, "02f0");
	put8(m, end);
	put(m, p, n);
}

DESK_IDLE static struct made connection(unsigned type, unsigned to, unsigned from, const char *parameters)
{
	struct made tail = { .n = 0 }, m = { .n = 0 };

	put8(&tail, type);
	put16(&tail, to);
	put16(&tail, from);
	put8(&tail, 0);
	put_hex(&tail, parameters);
	put_hex(&m, "0300");
	put16(&m, (unsigned)tail.n + 5);
	put8(&m, (unsigned)tail.n);
	put(&m, tail.b, tail.n);
	return m;
}

/* ---- messages ---- */

DESK_IDLE static struct made message(unsigned kind, unsigned reference, const struct made *parameters,
				     const struct made *data)
{
	struct made m = { .n = 0 };

	put8(&m, 0x32);
	put8(&m, kind);
	put16(&m, 0);
	put16(&m, reference);
	put16(&m, (unsigned)parameters->n);
	put16(&m, (unsigned)data->n);
	if (kind == 2 || kind == 3)
		put16(&m, 0);
	put(&m, parameters->b, parameters->n);
	put(&m, data->b, data->n);
	return m;
}

DESK_IDLE static struct made message_hex(unsigned kind, unsigned reference, const char *parameters, const char *data)
{
	struct made p = { .n = 0 }, d = { .n = 0 };

	put_hex(&p, parameters);
	put_hex(&d, data);
	return message(kind, reference, &p, &d);
}

DESK_IDLE static void put_item(struct made *m, unsigned type, unsigned count, unsigned block, unsigned area,
			       unsigned address)
{
	put_hex(m, "120a10");
	put8(m, type);
	put16(m, count);
	put16(m, block);
	put8(m, area);
	put8(m, address >> 16);
	put16(m, address & 0xffffu);
}

/* ---- judging ---- */

/* Judges one whole PDU and returns the reason; R_NONE: the bytes are no PDU. The copies have
 * exactly its size, so that a sanitizer sees a read beyond them. */
DESK_IDLE static enum reason judge_bytes(struct desk *d, enum direction dir, const void *p, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	size_t len = 0;
	enum reason r = R_NONE;

	if (copy == NULL)
		abort();
	if (n > 0)
		memcpy(copy, p, n);
	if (s7comm_enforcer.frame(d->state, dir, bytes_of(copy, n), &len) == FRAME_WHOLE && len == n) {
		r = desk_judge(d, dir, p, n)->reason;
		if (d->p.allowed != (r == R_ALLOWED || r == R_S7COMM_UNSEEN))
			abort();
	}
	free(copy);
	return r;
}

DESK_IDLE static enum reason say(struct desk *d, enum direction dir, const struct made *m)
{
	return judge_bytes(d, dir, m->b, m->n);
}

/* A message in one DT. */
DESK_IDLE static enum reason tell(struct desk *d, enum direction dir, struct made message)
{
	struct made m = { .n = 0 };

	put_dt(&m, 0x80, message.b, message.n);
	return say(d, dir, &m);
}

DESK_IDLE static enum reason job(struct desk *d, unsigned reference, const char *parameters, const char *data)
{
	return tell(d, DIR_C2S, message_hex(1, reference, parameters, data));
}

DESK_IDLE static enum reason reply(struct desk *d, unsigned reference, const char *parameters, const char *data)
{
	return tell(d, DIR_S2C, message_hex(3, reference, parameters, data));
}

DESK_IDLE static enum reason userdata(struct desk *d, enum direction dir, unsigned reference, const char *parameters,
				      const char *data)
{
	return tell(d, dir, message_hex(7, reference, parameters, data));
}

#define RACK_0_SLOT_2 "c0010a c1020100 c2020102"

/* Connects, and agrees on PDUs of `size` bytes. */
DESK_IDLE static void open_session(struct desk *d, const char *parameters, const char *size)
{
	struct made cr = connection(0xe0, 0, 7, parameters), cc = connection(0xd0, 7, 3, RACK_0_SLOT_2);
	char setup[64] = "f000 0001 0001 ";

	desk_reset(d);
	strncat(setup, size, 8);
	if (say(d, DIR_C2S, &cr) != R_ALLOWED || say(d, DIR_S2C, &cc) != R_ALLOWED ||
	    job(d, 1, setup, "") != R_ALLOWED || reply(d, 1, setup, "") != R_ALLOWED)
		abort();
}

#endif

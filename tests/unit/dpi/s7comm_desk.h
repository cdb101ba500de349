/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for trying S7comm: one permit with rows that a test writes down, one flow's state, and calls that build TPDUs, messages and
 * items and have them judged. Grant k has one row; with none the whole protocol is granted.
 */
#ifndef SEKISHO_TESTS_S7COMM_DESK_H
#define SEKISHO_TESTS_S7COMM_DESK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/vocabulary_s7comm.h"
#include "dpi/judge.h"
#include "dpi/s7comm/cotp.h"
#include "dpi/s7comm/s7comm.h"

#define DESK_ROWS 8
#define DESK_RANGES 256
#define DESK_IDLE __attribute__((unused))

struct desk {
	struct command_table table;
	struct command_permit permit;
	struct command_grant grants[DESK_ROWS];
	struct command_row rows[DESK_ROWS];
	struct space_set spaces[DESK_ROWS * 4];
	struct number_range ranges[DESK_RANGES];
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX];
	struct pdu p; /* what judge said last */
};

/* Bytes that a test puts together. */
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

/* "0300 0016" and the like: two digits a byte, blanks anywhere. */
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

static inline void desk_reset(struct desk *d)
{
	memset(d->state, 0, sizeof(d->state));
}

static inline struct number_set desk_range(struct desk *d, uint64_t lo, uint64_t hi)
{
	struct number_set s = { .first = d->table.n_ranges, .n = 1 };

	if (d->table.n_ranges == DESK_RANGES)
		abort();
	d->ranges[d->table.n_ranges++] = (struct number_range){ lo, hi };
	return s;
}

/* Everything is granted. */
static inline void desk_whole(struct desk *d)
{
	memset(d, 0, sizeof(*d));
	d->table.digest[0] = 1;
	d->table.grants = d->grants;
	d->table.rows = d->rows;
	d->table.spaces = d->spaces;
	d->table.ranges = d->ranges;
	d->grants[0] = (struct command_grant){ .conduit = 0, .line = 100, .protocol = PROTO_S7COMM, .whole = true };
	d->table.n_grants = 1;
	d->permit = (struct command_permit){ .first_grant = 0, .n_grants = 1 };
}

/* Nothing is, but for rows that follow. */
static inline void desk_empty(struct desk *d)
{
	desk_whole(d);
	d->table.n_grants = d->permit.n_grants = 0;
}

/* A row that allows codes lo to hi anywhere, to whomever. */
static inline struct command_row *desk_row(struct desk *d, uint32_t lo, uint32_t hi)
{
	uint32_t k = d->table.n_grants;
	struct command_row *row = &d->rows[k];

	if (k == DESK_ROWS)
		abort();
	*row = (struct command_row){ .spaces_any = true, .values = { .any = true } };
	for (unsigned i = 0; i < TARGET_MAX; i++)
		row->targets[i].any = true;
	row->services = desk_range(d, lo, hi);
	d->grants[k] = (struct command_grant){
		.conduit = k, .line = 100 + k, .protocol = PROTO_S7COMM, .first_row = k, .n_rows = 1
	};
	d->table.n_grants = d->table.n_rows = d->permit.n_grants = k + 1;
	return row;
}

/* Only these addresses of this space. Places of one row are said one after another. */
static inline void desk_place(struct desk *d, struct command_row *row, uint8_t space, uint64_t first, uint64_t count)
{
	if (row->spaces_any)
		row->first_space = d->table.n_spaces;
	row->spaces_any = false;
	d->spaces[d->table.n_spaces++] =
		(struct space_set){ .space = space, .numbers = desk_range(d, first, first + count - 1) };
	row->n_spaces++;
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

/* One whole PDU; its reason. R_NONE: it is no PDU. Exact-size copies, so that a sanitizer sees what is read beyond. */
DESK_IDLE static enum reason judge_bytes(struct desk *d, enum direction dir, const void *p, size_t n)
{
	static struct judge_room room;
	uint8_t *copy = malloc(n > 0 ? n : 1);
	struct parsed parsed;
	size_t len = 0;
	enum reason r = R_NONE;

	if (copy == NULL)
		abort();
	if (n > 0)
		memcpy(copy, p, n);
	if (s7comm_enforcer.frame(d->state, dir, bytes_of(copy, n), &len) == FRAME_WHOLE && len == n) {
		d->p = (struct pdu){ .dir = dir, .length = (uint32_t)n };
		judge_pdu(&s7comm_enforcer, d->state, dir, bytes_of(copy, n), &d->table, &d->permit, &room, &parsed,
			  &d->p);
		if (d->p.allowed != (d->p.reason == R_ALLOWED || d->p.reason == R_S7COMM_UNSEEN))
			abort();
		r = d->p.reason;
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

/* Connected, and PDUs of `size` agreed on. */
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

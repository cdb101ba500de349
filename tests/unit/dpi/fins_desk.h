/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for testing frames of FINS: desk.h, with a writer of frames, alone and over TCP.
 * Parameters are written in hexadecimal, as in the manuals.
 */
#ifndef SEKISHO_TESTS_FINS_DESK_H
#define SEKISHO_TESTS_FINS_DESK_H

#include <stdio.h>

#include "dpi/fins/fins.h"
#include "dpi/fins/words.h"

#define DESK_ENFORCER fins_enforcer
#include "tests/unit/dpi/desk.h"

struct frame {
	uint8_t p[FINS_PDU_MAX + 64];
	size_t n;
};

/* Destination and source of a frame. */
struct ends {
	uint8_t to[3], from[3];
};

static const struct ends usual = { { 0, 10, 0 }, { 0, 25, 0 } };

static inline void put_bytes(struct frame *f, const void *p, size_t n)
{
	memcpy(f->p + f->n, p, n);
	f->n += n;
}

static inline void put_hex(struct frame *f, const char *hex)
{
	unsigned v;

	for (; *hex != '\0'; hex++)
		if (*hex != ' ' && sscanf(hex++, "%2x", &v) == 1)
			f->p[f->n++] = (uint8_t)v;
}

static inline struct frame frame_of(uint8_t icf, struct ends e, uint8_t sid, uint16_t command)
{
	struct frame f = { .n = 0 };

	put_bytes(&f, (uint8_t[]){ icf, 0, 2 }, 3);
	put_bytes(&f, e.to, 3);
	put_bytes(&f, e.from, 3);
	put_bytes(&f, (uint8_t[]){ sid, (uint8_t)(command >> 8), (uint8_t)command }, 3);
	return f;
}

/* A request from hexadecimal, such as "0101 82 0064 00 0002": the command code, then its
 * parameters. */
static inline struct frame request_of(uint8_t sid, const char *hex)
{
	struct frame f = frame_of(0x80, usual, sid, 0);

	f.n -= 2;
	put_hex(&f, hex);
	return f;
}

static inline struct frame answer_of(uint8_t sid, uint16_t command, uint16_t end_code, size_t n)
{
	struct ends back = usual;
	struct frame f;

	memcpy(back.to, usual.from, 3);
	memcpy(back.from, usual.to, 3);
	f = frame_of(0xc0, back, sid, command);
	put_bytes(&f, (uint8_t[]){ (uint8_t)(end_code >> 8), (uint8_t)end_code }, 2);
	memset(f.p + f.n, 0, n);
	f.n += n;
	return f;
}

static inline struct frame over_tcp(uint8_t command, uint32_t error, const void *p, size_t n)
{
	struct frame f = { .n = 0 };
	uint32_t length = (uint32_t)n + 8u;

	put_bytes(&f, "FINS", 4);
	put_bytes(&f, (uint8_t[]){ 0, 0, (uint8_t)(length >> 8), (uint8_t)length, 0, 0, 0, command }, 8);
	put_bytes(&f, (uint8_t[]){ 0, 0, (uint8_t)(error >> 8), (uint8_t)error }, 4);
	put_bytes(&f, p, n);
	return f;
}

/* Begins a flow of datagrams. */
static inline void datagrams(struct desk *d)
{
	desk_reset(d);
	fins_enforcer.begin(d->state, true, 9600);
}

static inline const struct pdu *ask(struct desk *d, uint8_t sid, const char *hex)
{
	struct frame f = request_of(sid, hex);

	return desk_judge(d, DIR_C2S, f.p, f.n);
}

static inline const struct pdu *tell(struct desk *d, uint8_t sid, uint16_t command, uint16_t end_code, size_t n)
{
	struct frame f = answer_of(sid, command, end_code, n);

	return desk_judge(d, DIR_S2C, f.p, f.n);
}

/* Limits the row to these addresses of one space, in a flow of datagrams. */
static inline struct command_row *only(struct desk *d, uint8_t space, uint64_t lo, uint64_t hi)
{
	struct command_row *row = desk_row(d);

	desk_space(d, row, space, desk_range(d, lo, hi));
	datagrams(d);
	return row;
}

#endif

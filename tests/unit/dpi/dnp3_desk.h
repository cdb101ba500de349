/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for testing frames of DNP3: desk.h, with a writer of frames and segments that has its own
 * checksum. Fragments are written in hexadecimal, from the application control on.
 */
#ifndef SEKISHO_TESTS_DNP3_DESK_H
#define SEKISHO_TESTS_DNP3_DESK_H

#include <stdio.h>

#include "dpi/dnp3/dnp3.h"
#include "dpi/dnp3/words.h"

#define DESK_ENFORCER dnp3_enforcer
#include "tests/unit/dpi/desk.h"

#define OUTSTATION 10u
#define MASTER 1u

struct wire {
	uint8_t p[DNP3_PDU_MAX + 600];
	size_t n;
};

static inline void put_hex(struct wire *w, const char *hex)
{
	while (*hex != '\0') {
		char two[3] = { hex[0], hex[1], '\0' };

		if (*hex++ == ' ')
			continue;
		w->p[w->n++] = (uint8_t)strtoul(two, NULL, 16);
		hex++;
	}
}

/* The checksum bit by bit, as the standard draws it. */
static inline uint16_t bitwise_crc(const uint8_t *p, size_t n)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bool feeds = ((crc ^ p[i] >> bit) & 1) != 0;

			crc = (uint16_t)(crc >> 1 ^ (feeds ? 0xa6bcu : 0));
		}
	return (uint16_t)(crc ^ 0xffffu);
}

static inline void put_sum(struct wire *w, size_t from)
{
	uint16_t crc = bitwise_crc(w->p + from, w->n - from);

	w->p[w->n++] = (uint8_t)crc;
	w->p[w->n++] = (uint8_t)(crc >> 8);
}

/* Appends one frame. */
static inline void put_frame(struct wire *w, uint8_t control, uint16_t to, uint16_t from, const uint8_t *data, size_t n)
{
	size_t at = w->n;
	const uint8_t head[8] = { 0x05,
				  0x64,
				  (uint8_t)(5 + n),
				  control,
				  (uint8_t)to,
				  (uint8_t)(to >> 8),
				  (uint8_t)from,
				  (uint8_t)(from >> 8) };

	memcpy(w->p + at, head, 8);
	w->n += 8;
	put_sum(w, at);
	for (size_t done = 0; done < n; done += 16) {
		size_t part = n - done < 16 ? n - done : 16;

		at = w->n;
		memcpy(w->p + at, data + done, part);
		w->n += part;
		put_sum(w, at);
	}
}

/* A fragment in segments of this many bytes. */
static inline struct wire segments(uint8_t control, uint16_t to, uint16_t from, const struct wire *fragment,
				   size_t each, uint8_t number)
{
	struct wire w = { .n = 0 };
	uint8_t data[250];

	for (size_t done = 0; done < fragment->n; done += each, number++) {
		size_t part = fragment->n - done < each ? fragment->n - done : each;

		data[0] = (uint8_t)((number & 0x3fu) | (done == 0 ? 0x40u : 0) |
				    (done + part == fragment->n ? 0x80u : 0));
		memcpy(data + 1, fragment->p + done, part);
		put_frame(&w, control, to, from, data, part + 1);
	}
	return w;
}

static inline struct wire hex(const char *text)
{
	struct wire w = { .n = 0 };

	put_hex(&w, text);
	return w;
}

/* A fragment from the master, and one from the outstation. */
static inline struct wire request(const char *fragment)
{
	struct wire f = hex(fragment);

	return segments(0xc4, OUTSTATION, MASTER, &f, 249, 0);
}

static inline struct wire response(const char *fragment)
{
	struct wire f = hex(fragment);

	return segments(0x44, MASTER, OUTSTATION, &f, 249, 0);
}

static inline const struct pdu *judge(struct desk *d, enum direction dir, const struct wire *w)
{
	return desk_judge(d, dir, w->p, w->n);
}

static inline const struct pdu *ask(struct desk *d, const char *fragment)
{
	struct wire w = request(fragment);

	return judge(d, DIR_C2S, &w);
}

static inline const struct pdu *tell(struct desk *d, const char *fragment)
{
	struct wire w = response(fragment);

	return judge(d, DIR_S2C, &w);
}

static inline void start(struct desk *d)
{
	desk_reset(d);
}

/* A policy that allows everything, also to all outstations at once. */
static inline struct command_row *open_desk(struct desk *d)
{
	struct command_row *row = desk_row(d);

	row->targets[DNP3_OUTSTATION] = desk_range(d, 0, 65535);
	return row;
}

#endif

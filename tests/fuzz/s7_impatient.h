/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that reads as snap7's does. If bytes come late, it discards what it has, and takes what
 * comes next as a new packet. It must not execute a message that does not begin where one of the
 * client's messages begins; if it would, the target aborts.
 */
#ifndef SEKISHO_TESTS_S7_IMPATIENT_H
#define SEKISHO_TESTS_S7_IMPATIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dpi/s7comm/s7comm.h"

#define LOG_MOST 65536u

/* The bytes of the client's stream that passed, and the offsets at which its whole messages
 * begin. */
struct passed {
	uint8_t bytes[LOG_MOST];
	bool begins[LOG_MOST];
	size_t n;
};

struct impatient {
	/* the bytes that it has not read yet: `n` bytes, from the offset `from` in what passed */
	size_t from, n;
	bool gave_up; /* gave up, and has executed nothing since */
	bool deaf;    /* nothing more is known about it */
};

enum read_found { READ_WAITS, READ_THROWS_AWAY, READ_HANGS_UP, READ_IT };

static inline uint32_t wide(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* Reads one message from its packets: what it contains, and how many bytes all its packets have. */
static inline enum read_found impatient_read(const uint8_t *b, size_t n, uint8_t *message, size_t *ret_all,
					     size_t *ret_n, uint8_t *ret_type)
{
	size_t all = 0, at = 0;

	for (;;) {
		uint32_t length;

		if (n - at < 7)
			return READ_WAITS;
		length = wide(b + at + 2);
		*ret_type = b[at + 5];
		if (*ret_type != 0xf0 && *ret_type != 0xe0 && *ret_type != 0x80)
			return READ_THROWS_AWAY;
		if (length < 7 || length > 4096 || b[at + 4] < 2 || all + length - 7 > 4096)
			return READ_HANGS_UP;
		if (n - at < length)
			return READ_WAITS;
		memcpy(message + all, b + at + 7, length - 7);
		all += length - 7;
		at += length;
		if (*ret_type != 0xf0 || (b[at - length + 6] & 0x80) != 0)
			break;
	}
	*ret_all = at;
	*ret_n = all;
	return READ_IT;
}

static inline bool is_request(const uint8_t *m, size_t n)
{
	return n >= 10 && (m[1] == 1 || m[1] == 7) && n == 10 + wide(m + 6) + wide(m + 8);
}

/* The server begins with an acknowledgement, and waits since then. */
static inline bool impatient_acknowledged(const struct impatient *s, const struct passed *p)
{
	const uint8_t *b = p->bytes + s->from;

	return s->n >= 7 && wide(b + 2) == 7 && b[5] == 0xf0 && (b[6] & 0x80) == 0;
}

/* `n` more bytes have arrived. `late`: it has discarded the bytes before them. */
static inline void impatient_gets(struct impatient *s, const struct passed *p, size_t n, bool late)
{
	static uint8_t message[4096];

	if (late && s->n > 0) {
		s->from += s->n;
		s->n = 0;
		s->gave_up = true;
	}
	s->n += n;
	while (!s->deaf && s->n > 0) {
		size_t all = 0, length = 0;
		uint8_t type = 0;
		enum read_found r = impatient_read(p->bytes + s->from, s->n, message, &all, &length, &type);

		if (r == READ_WAITS)
			return;
		if (r == READ_THROWS_AWAY)
			all = s->n;
		else if (r == READ_IT && type == 0xf0 && is_request(message, length)) {
			if (!p->begins[s->from])
				abort();
			s->gave_up = false;
		}
		s->deaf = r == READ_HANGS_UP || (r == READ_IT && type == 0x80);
		s->from += all;
		s->n -= all;
	}
}

#endif

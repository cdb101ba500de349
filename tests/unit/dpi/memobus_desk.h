/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for testing messages of MEMOBUS: desk.h, with a writer of messages after their 218 header.
 * A message is written in hexadecimal, from the MFC on.
 */
#ifndef SEKISHO_TESTS_MEMOBUS_DESK_H
#define SEKISHO_TESTS_MEMOBUS_DESK_H

#include <stdlib.h>

#include "dpi/memobus/memobus.h"
#include "dpi/memobus/words.h"

#define DESK_ENFORCER memobus_enforcer
#include "tests/unit/dpi/desk.h"

struct message {
	uint8_t p[MEMOBUS_PDU_MAX + 64];
	size_t n;
};

static inline void put_hex(struct message *m, const char *hex)
{
	for (; *hex != '\0'; hex++) {
		char two[3] = { hex[0], hex[1], '\0' };

		if (*hex == ' ')
			continue;
		m->p[m->n++] = (uint8_t)strtoul(two, NULL, 16);
		hex++;
	}
}

/* Fills in both lengths. */
static inline void seal(struct message *m)
{
	m->p[6] = (uint8_t)m->n;
	m->p[7] = (uint8_t)(m->n >> 8);
	if (m->p[0] != MEMOBUS_GENERAL_PURPOSE) {
		m->p[12] = (uint8_t)(m->n - 14u);
		m->p[13] = (uint8_t)((m->n - 14u) >> 8);
	}
}

/* A message from hexadecimal, such as "20 09 10 00 6400 0200". */
static inline struct message message_of(uint8_t type, uint8_t number, const char *hex)
{
	struct message m = { .p = { type, number }, .n = type == MEMOBUS_GENERAL_PURPOSE ? 12 : 14 };

	put_hex(&m, hex);
	seal(&m);
	return m;
}

static inline const struct pdu *judge(struct desk *d, enum direction dir, const struct message *m)
{
	return desk_judge(d, dir, m->p, m->n);
}

static inline const struct pdu *ask(struct desk *d, uint8_t number, const char *hex)
{
	struct message m = message_of(MEMOBUS_COMMAND, number, hex);

	return judge(d, DIR_C2S, &m);
}

static inline const struct pdu *tell(struct desk *d, uint8_t number, const char *hex)
{
	struct message m = message_of(MEMOBUS_RESPONSE, number, hex);

	return judge(d, DIR_S2C, &m);
}

/* Limits the row to these addresses of one space. */
static inline struct command_row *only(struct desk *d, uint8_t space, uint64_t lo, uint64_t hi)
{
	struct command_row *row = desk_row(d);

	desk_space(d, row, space, desk_range(d, lo, hi));
	desk_reset(d);
	return row;
}

#endif

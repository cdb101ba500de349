/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for testing APDUs of IEC 60870-5-104: desk.h, with a writer that numbers the APDUs. ASDUs
 * are written in hexadecimal, from the type on.
 */
#ifndef SEKISHO_TESTS_IEC104_DESK_H
#define SEKISHO_TESTS_IEC104_DESK_H

#include <stdio.h>

#include "dpi/iec104/iec104.h"
#include "dpi/iec104/words.h"

#define DESK_ENFORCER iec104_enforcer
#include "tests/unit/dpi/desk.h"

struct apdu {
	uint8_t p[IEC104_PDU_MAX + 8];
	size_t n;
};

/* N(S) of the next I frame of each direction. Each I frame acknowledges all frames of the other
 * end. */
static uint16_t numbers[2];

static inline void put_hex(struct apdu *a, const char *hex)
{
	unsigned v;

	for (; *hex != '\0'; hex++)
		if (*hex != ' ' && sscanf(hex++, "%2x", &v) == 1)
			a->p[a->n++] = (uint8_t)v;
}

static inline struct apdu i_frame(uint16_t ns, uint16_t nr, const char *asdu)
{
	struct apdu a = {
		.p = { 0x68, 0, (uint8_t)(ns << 1), (uint8_t)(ns >> 7), (uint8_t)(nr << 1), (uint8_t)(nr >> 7) }, .n = 6
	};

	put_hex(&a, asdu);
	a.p[1] = (uint8_t)(a.n - 2);
	return a;
}

static inline struct apdu u_frame(uint8_t says)
{
	return (struct apdu){ .p = { 0x68, 4, says }, .n = 6 };
}

static inline struct apdu s_frame(uint16_t nr)
{
	return (struct apdu){ .p = { 0x68, 4, 1, 0, (uint8_t)(nr << 1), (uint8_t)(nr >> 7) }, .n = 6 };
}

static inline const struct pdu *judge(struct desk *d, enum direction dir, struct apdu a)
{
	return desk_judge(d, dir, a.p, a.n);
}

/* Begins the flow and starts data transfer. */
static inline void start(struct desk *d)
{
	desk_reset(d);
	numbers[0] = numbers[1] = 0;
	judge(d, DIR_C2S, u_frame(IEC104_STARTDT_ACT));
	judge(d, DIR_S2C, u_frame(IEC104_STARTDT_CON));
}

/* Judges an ASDU such as "2d 01 0600 0100 010000 01": type, number of objects, cause and
 * originator, common address, object. */
static inline const struct pdu *say(struct desk *d, enum direction dir, const char *asdu)
{
	struct apdu a = i_frame(numbers[dir], numbers[!dir], asdu);

	numbers[dir] = (numbers[dir] + 1u) & 0x7fffu;
	return judge(d, dir, a);
}

static inline const struct pdu *ask(struct desk *d, const char *asdu)
{
	return say(d, DIR_C2S, asdu);
}

static inline const struct pdu *tell(struct desk *d, const char *asdu)
{
	return say(d, DIR_S2C, asdu);
}

/* A policy that allows everything, also to all stations at once; data transfer is started. */
static inline struct command_row *open_desk(struct desk *d)
{
	struct command_row *row = desk_row(d);

	row->targets[IEC104_CA] = desk_range(d, 0, 65535);
	start(d);
	return row;
}

#endif

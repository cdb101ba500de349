/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for trying datagrams of BACnet/IP: the one of desk.h, and a writer of the link and the
 * network layer. APDUs are written in hexadecimal, as the standard's annex F has them.
 */
#ifndef SEKISHO_TESTS_BACNET_DESK_H
#define SEKISHO_TESTS_BACNET_DESK_H

#include <stdio.h>

#include "dpi/bacnet/bacnet.h"
#include "dpi/bacnet/words.h"

#define DESK_ENFORCER bacnet_enforcer
#include "tests/unit/dpi/desk.h"

#define OBJECT(type, instance) ((uint32_t)(type) << BACNET_INSTANCE_BITS | (instance))
#define AO(instance) OBJECT(1, instance)

struct wire {
	uint8_t p[2048];
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

/* What the link carries with this function: network layer, APDU. */
static inline struct wire carried(uint8_t function, const char *network, const char *apdu)
{
	struct wire w = { .p = { 0x81, function }, .n = 4 };

	put_hex(&w, network);
	put_hex(&w, apdu);
	w.p[2] = (uint8_t)(w.n >> 8);
	w.p[3] = (uint8_t)w.n;
	return w;
}

static inline struct wire unicast(const char *apdu)
{
	return carried(BACNET_UNICAST, "01 04", apdu);
}

static inline const struct pdu *judge(struct desk *d, enum direction dir, const struct wire *w)
{
	return desk_judge(d, dir, w->p, w->n);
}

static inline const struct pdu *ask(struct desk *d, const char *apdu)
{
	struct wire w = unicast(apdu);

	return judge(d, DIR_C2S, &w);
}

static inline const struct pdu *tell(struct desk *d, const char *apdu)
{
	struct wire w = carried(BACNET_UNICAST, "01 00", apdu);

	return judge(d, DIR_S2C, &w);
}

/* A row that allows everything except what a row has to name. */
static inline struct command_row *open_desk(struct desk *d)
{
	return desk_row(d);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for testing messages of OPC UA: desk.h, with a writer that numbers the messages. What
 * follows the header of a request or an answer is written in hexadecimal.
 */
#ifndef SEKISHO_TESTS_OPCUA_DESK_H
#define SEKISHO_TESTS_OPCUA_DESK_H

#include <stdio.h>

#include "dpi/opcua/opcua.h"
#include "dpi/opcua/words.h"

#define DESK_ENFORCER opcua_enforcer
#include "tests/unit/dpi/desk.h"

#define NONE_URI "http://opcfoundation.org/UA/SecurityPolicy#None"
/* The header of a request: token of the session, time, handle, diagnostics, audit entry, timeout,
 * additional header; and the header of an answer. */
#define ASKS "0000 0000000000000000 01000000 00000000 ffffffff 10270000 000000"
#define ANSWERS "0000000000000000 01000000 00000000 00 00000000 000000"

struct message {
	uint8_t p[OPCUA_PDU_MAX + 64];
	size_t n;
};

#define CHANNEL 7u
#define TOKEN 1u

/* The last sequence number of each direction, and the last request number. */
static uint32_t sequences[2], requests;

static inline void put(struct message *m, const void *p, size_t n)
{
	if (n > sizeof(m->p) - m->n)
		abort();
	memcpy(m->p + m->n, p, n);
	m->n += n;
}

static inline void put_hex(struct message *m, const char *hex)
{
	for (; *hex != '\0'; hex++) {
		char two[3] = { hex[0], hex[1], '\0' };

		if (*hex == ' ')
			continue;
		put(m, &(uint8_t){ (uint8_t)strtoul(two, NULL, 16) }, 1);
		hex++;
	}
}

static inline void put_32(struct message *m, uint32_t v)
{
	put(m, (uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) }, 4);
}

static inline struct message message_of(const char *letters)
{
	struct message m = { .n = 0 };

	put(&m, letters, 4);
	put_32(&m, 0);
	return m;
}

/* Sets the size field to the length of the message. */
static inline struct message sized(struct message m)
{
	size_t n = m.n;

	m.n = 4;
	put_32(&m, (uint32_t)n);
	m.n = n;
	return m;
}

static inline void put_numbers(struct message *m, enum direction dir, uint32_t request)
{
	put_32(m, ++sequences[dir]);
	put_32(m, request);
}

static inline void put_service(struct message *m, uint32_t service)
{
	put(m, (uint8_t[]){ 1, 0, (uint8_t)service, (uint8_t)(service >> 8) }, 4);
}

/* A message such as "MSGF" with the session's channel, token and numbers, then the service with its
 * header. */
static inline struct message said(const char *letters, enum direction dir, uint32_t request, uint32_t service,
				  const char *hex)
{
	struct message m = message_of(letters);

	put_32(&m, CHANNEL);
	put_32(&m, TOKEN);
	put_numbers(&m, dir, request);
	put_service(&m, service);
	put_hex(&m, dir == DIR_C2S ? ASKS : ANSWERS);
	put_hex(&m, hex);
	return sized(m);
}

/* The client's or the server's message that opens a channel; everything behind the numbers in
 * hexadecimal. */
static inline struct message opens(enum direction dir, uint32_t channel, const char *uri, const char *hex)
{
	struct message m = message_of("OPNF");

	put_32(&m, channel);
	put_32(&m, (uint32_t)strlen(uri));
	put(&m, uri, strlen(uri));
	put_32(&m, UINT32_MAX);
	put_32(&m, UINT32_MAX);
	put_numbers(&m, dir, requests);
	put_hex(&m, hex);
	return sized(m);
}

#define OPENS "0100be01" ASKS "00000000 00000000 01000000 ffffffff 80ee3600"
#define RENEWS "0100be01" ASKS "00000000 01000000 01000000 ffffffff 80ee3600"
#define OPENED "0100c101" ANSWERS "00000000 07000000 01000000 0000000000000000 80ee3600 ffffffff"

static inline struct message hello(void)
{
	struct message m = message_of("HELF");

	put_hex(&m, "00000000 00000100 00000100 00000000 00000000 04000000 6f70632e");
	return sized(m);
}

static inline struct message acknowledge(void)
{
	struct message m = message_of("ACKF");

	put_hex(&m, "00000000 00000100 00000100 00000000 00000000");
	return sized(m);
}

static inline const struct pdu *judge(struct desk *d, enum direction dir, struct message m)
{
	return desk_judge(d, dir, m.p, m.n);
}

/* Begins the flow and opens its channel. */
static inline void start(struct desk *d)
{
	desk_reset(d);
	sequences[0] = sequences[1] = 100;
	requests = 1;
	judge(d, DIR_C2S, hello());
	judge(d, DIR_S2C, acknowledge());
	judge(d, DIR_C2S, opens(DIR_C2S, 0, NONE_URI, OPENS));
	judge(d, DIR_S2C, opens(DIR_S2C, CHANNEL, NONE_URI, OPENED));
}

static inline const struct pdu *ask(struct desk *d, uint32_t service, const char *hex)
{
	return judge(d, DIR_C2S, said("MSGF", DIR_C2S, ++requests, service, hex));
}

static inline const struct pdu *tell(struct desk *d, uint32_t service)
{
	return judge(d, DIR_S2C, said("MSGF", DIR_S2C, requests, service, ""));
}

/* A policy that allows everything, also without security; the channel is open. */
static inline struct command_row *open_desk(struct desk *d)
{
	struct command_row *row = desk_row(d);

	row->targets[OPCUA_POLICY] = desk_range(d, 0, 255);
	start(d);
	return row;
}

#endif

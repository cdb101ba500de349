/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event record: one record for everything that the box notices, from a refused packet to a
 * restarted role. event.def lists all events. Records carry ids, never names of the policy. The
 * journal, which alone writes the record file, resolves the ids in the generation that the record
 * names, and in no other. A record that cannot be handed over is counted, and the count is sent
 * later (EVENT_LOST), so the number of lost records is exact.
 */
#ifndef SEKISHO_WIRE_EVENT_H
#define SEKISHO_WIRE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/bytes.h"
#include "appliance/wire/event_codes.h"
#include "appliance/wire/limit.h"
#include "appliance/wire/vocabulary.h"

/* A line of the policy. */
struct place {
	uint32_t file; /* index into the generation's sources */
	uint32_t line; /* 0 = none */
};

#define EVENT_NO_CONDUIT 0xffffffffu

/* The generation by which something was decided. A box gives each number once; the digest
 * distinguishes boxes. */
struct event_generation {
	uint32_t number; /* 0 = none, or not known */
	uint64_t digest; /* the first 8 bytes of its SHA-256, big-endian */
};

struct event_generation event_generation(uint64_t number, const uint8_t digest[32]);

/* The form in messages and tables, 12 bytes. */
static inline void event_generation_put(struct outbuf *o, struct event_generation g)
{
	out_be32(o, g.number);
	out_be64(o, g.digest);
}

static inline bool event_generation_get(struct bytes *b, struct event_generation *ret)
{
	bytes_be32(b, &ret->number);
	return bytes_be64(b, &ret->digest);
}

static inline bool event_generation_same(struct event_generation a, struct event_generation b)
{
	return a.number == b.number && a.digest == b.digest;
}

/* Texts of an event: its subject, the state before and after, and who did it. Some kinds use them
 * otherwise (event.def). */
enum event_text { EVENT_OBJECT, EVENT_BEFORE, EVENT_AFTER, EVENT_BY, EVENT_TEXTS };
#define EVENT_TEXT 200u /* bytes of one text, NUL included */

struct event {
	uint64_t wall_ns;
	uint8_t kind;	  /* enum event_kind */
	uint8_t verdict;  /* enum event_verdict */
	uint16_t reason;  /* enum reason */
	uint32_t permit;  /* box permit id, 0 = none */
	uint32_t conduit; /* index into the generation's conduits, or EVENT_NO_CONDUIT */
	uint32_t line;	  /* policy line of the conduit, 0 = none */
	/* who opened the session, or the source of the packet; family 0 = none */
	struct addr client;
	struct addr server;
	uint16_t client_port;	      /* ICMP: 0 */
	uint16_t server_port;	      /* ICMP: type << 8 | code */
	uint8_t l4proto;	      /* IANA protocol number */
	uint8_t s2c;		      /* 1: server to client */
	uint16_t protocol;	      /* enum protocol */
	uint32_t iif;		      /* interface index in the data namespace, 0 = unknown */
	uint32_t targets[TARGET_MAX]; /* targets of the command, by the protocol's vocabulary */
	uint32_t function;	      /* code of the service */
	uint8_t space;		      /* address space by the protocol's vocabulary, or 255 */
	uint8_t code;
	uint64_t address;   /* first data address, counted from 0 */
	uint32_t quantity;  /* number of addresses */
	uint64_t count;	    /* repetitions */
	uint64_t value;	    /* by kind; EVENT_COUNTS: event_counts_value */
	struct limit limit; /* the limit that a refused EVENT_PDU exceeded */
	struct event_generation generation;
	struct place row; /* the row that allowed the operation */
	char text[EVENT_TEXTS][EVENT_TEXT];
	/* only within the journal, not on the wire: the time that the sender gave, where it was not
	 * plausible; 0 = wall_ns is the sender's time */
	uint64_t said_ns;
};

/*
 * Whether the event is a person's order about the register. Then EVENT_BEFORE is the responsible
 * person, EVENT_BY the login, `server` the address of the browser, and `client` the address that
 * the device has announced.
 */
bool event_device_ordered(const struct event *e);

/* An event of that kind with count 1, without conduit, flow or data. */
struct event event_new(enum event_kind kind, uint64_t wall_ns);

/* Sets a text. A text that is too long is cut at the end of a character. */
void event_say(struct event *e, enum event_text which, const char *text);

/* bytes of an encoded record without texts; with more the kernel would charge the socket twice the
 * memory */
#define EVENT_WIRE 192u
#define EVENT_WIRE_MAX (EVENT_WIRE + EVENT_TEXTS * EVENT_TEXT)

/* Returns how many bytes the record has. */
size_t event_encode(const struct event *e, uint8_t out[EVENT_WIRE_MAX]);
/* False when kind, reason, verdict, families or texts are not what event_encode writes. */
bool event_decode(struct bytes b, struct event *ret);

/* A role's end of its event socket (SEQPACKET, non-blocking). Sending never blocks; records that
 * could not be sent are counted. */
struct event_port {
	int fd; /* -1: everything is counted as lost */
	uint64_t lost;
	struct event_generation now; /* put into records that name no generation */
};

void event_send(struct event_port *p, const struct event *e);

#endif

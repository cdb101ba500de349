/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event record: one record for everything that the box notices, from a refused packet to a restarted role. What
 * events there are stands in event.def. Records carry ids, never names of the policy; the journal, sole writer of the
 * record file, resolves them in the generation that the record names, and in no other. A record that cannot be handed over is counted and the count is sent later (EVENT_LOST): loss is exact.
 */
#ifndef SEKISHO_WIRE_EVENT_H
#define SEKISHO_WIRE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/bytes.h"
#include "appliance/wire/limit.h"
#include "appliance/wire/vocabulary.h"

enum event_kind {
	EVENT_NONE = 0,
#define EVENT(id, ...) id,
#include "appliance/wire/event.def"
	EVENT_KIND_COUNT
};

enum event_verdict {
#define EVENT_VERDICT(id, ...) id,
#include "appliance/wire/event.def"
	EVENT_VERDICT_COUNT
};

enum role_event {
	ROLE_NOTHING = 0,
#define ROLE_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

enum policy_event {
	POLICY_NOTHING = 0,
#define POLICY_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/* What MSG_DRIFT and EVENT_DRIFT say has happened. */
enum drift {
	DRIFT_NOTHING = 0,
#define DRIFT_CODE(id, ...) id,
#include "appliance/wire/event.def"
	DRIFT_COUNT
};

enum lost_event {
	LOST_UNSENT = 0,
#define LOST_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/* What MSG_CTL_RECORD and EVENT_MACHINE say has happened. */
enum machine_event {
	MACHINE_NOTHING = 0,
#define MACHINE_CODE(id, ...) id,
#include "appliance/wire/event.def"
	MACHINE_COUNT
};

/* What EVENT_ACCOUNT says has happened. */
enum account_event {
	ACCOUNT_NOTHING = 0,
#define ACCOUNT_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/* What EVENT_ACCESS says has happened. */
enum access_event {
	ACCESS_NOTHING = 0,
#define ACCESS_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/* What EVENT_PASSED says of a session that a conduit let through. */
enum passed_event {
	PASSED_NOTHING = 0,
#define PASSED_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/* What EVENT_DEVICE says of a device beside the box. The tap says DEVICE_SEEN alone, which is never recorded: the journal makes of it what is new. */
enum device_event {
	DEVICE_SEEN = 0,
#define DEVICE_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/* `value` of EVENT_DEVICE: a MAC address; 0 = `count` sightings of devices of that interface that are not told one by one. */
static inline uint64_t event_mac_value(const uint8_t mac[6])
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 6; i++)
		v = v << 8 | mac[i];
	return v;
}

/* How a device stands in the register: known to a person; listed before anybody has reviewed the list; or why nobody may rely on it. Order is that of files and the wire. */
enum device_state {
	DEVICE_IS_KNOWN,
	DEVICE_IS_LISTED,
	DEVICE_IS_UNKNOWN,
	DEVICE_IS_ELSEWHERE,
	DEVICE_HAS_ADDRESS,
	DEVICE_STATES
};
const char *device_state_word(unsigned state);

/* Why a register of devices does not go on from an earlier one of this box. Order is that of files and the wire. */
enum device_anew {
	DEVICES_GO_ON, /* it does, or somebody has reviewed it since */
	DEVICES_FIRST, /* there was none, as there were no records: a new box */
	DEVICES_GONE,  /* there was none, though there are records */
	DEVICES_UNREADABLE,
	DEVICES_OTHER_FORM, /* of another version of the program */
	DEVICES_RESTORED,   /* it was taken over from a backup, with all that was known */
	DEVICES_ANEW
};
/* NULL = it goes on. */
const char *device_anew_word(unsigned why);

#define MAC_TEXT 18u /* "02:00:00:00:00:01" with its NUL */
void event_mac_text(uint64_t value, char out[MAC_TEXT]);

/*
 * `space` of EVENT_PASSED where `address` is how many bytes of packets went from client to server, `value` how many from server to client, and `quantity` for
 * how many seconds the session was known; in sums all three are sums.
 */
#define PASSED_COUNTED 0u

/* What EVENT_WEAK says was seen. */
enum weak_event {
	WEAK_NOTHING = 0,
#define WEAK_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/*
 * `space` of EVENT_WEAK where `value` is what hellos of TLS said, `quantity` the weaknesses (bits by enum tls_weakness) and EVENT_OBJECT the server name, if all asked
 * for one. `address` is over how many seconds its `count` sessions came.
 */
#define WEAK_HELLO 0u

static inline uint64_t event_weak_value(uint16_t offered, uint16_t version, uint16_t suite)
{
	return (uint64_t)offered << 32 | (uint64_t)version << 16 | suite;
}

/*
 * `space` of EVENT_UNDECLARED where EVENT_OBJECT is the server name that all of its sessions asked for, in lower case, "" = they named none that could be
 * read. `address` as of EVENT_WEAK.
 */
#define UNDECLARED_NAME 0u

/* What EVENT_SILENCE says of a conduit that is expected to carry something; `value`: for how many seconds it had not. */
enum silence_event {
	SILENCE_NOTHING = 0,
#define SILENCE_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/*
 * What EVENT_ATTACK says of signs of an attack (journal/attack.h). `space`: enum attack_cause; `value` is the alarm's number, `quantity` how many hosts, `address` at how many places
 * in its upper half and how often it has rung, or for how many seconds it is silent; EVENT_BEFORE and EVENT_AFTER are the machines.
 */
enum attack_event {
	ATTACK_NOTHING = 0,
#define ATTACK_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/* A line of the policy. */
struct place {
	uint32_t file; /* index into the generation's sources */
	uint32_t line; /* 0 = none */
};

#define EVENT_NO_CONDUIT 0xffffffffu

/* The generation by which something was decided. Numbers are given once on a box; the digest tells boxes apart. */
struct event_generation {
	uint32_t number; /* 0 = none, or not known */
	uint64_t digest; /* the first 8 bytes of its SHA-256, big-endian */
};

struct event_generation event_generation(uint64_t number, const uint8_t digest[32]);

/* 12 bytes, as in messages and tables. */
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

/* What was changed, as it was and as it became, and who did it: drift and policy events. */
enum event_text { EVENT_OBJECT, EVENT_BEFORE, EVENT_AFTER, EVENT_BY, EVENT_TEXTS };
#define EVENT_TEXT 200u /* bytes of one, NUL included */

struct event {
	uint64_t wall_ns;
	uint8_t kind;	    /* enum event_kind */
	uint8_t verdict;    /* enum event_verdict */
	uint16_t reason;    /* enum reason */
	uint32_t permit;    /* box permit id, 0 = none */
	uint32_t conduit;   /* index into the generation's conduits, or EVENT_NO_CONDUIT */
	uint32_t line;	    /* policy line of the conduit, 0 = none */
	struct addr client; /* who opened the session, or the source of the packet; family 0 = none */
	struct addr server;
	uint16_t client_port;	      /* ICMP: 0 */
	uint16_t server_port;	      /* ICMP: type << 8 | code */
	uint8_t l4proto;	      /* IANA protocol number */
	uint8_t s2c;		      /* 1: server to client */
	uint16_t protocol;	      /* enum protocol */
	uint32_t iif;		      /* interface index in the data namespace, 0 = unknown */
	uint32_t targets[TARGET_MAX]; /* whom it was for, by the protocol's vocabulary */
	uint32_t function;	      /* code of the service */
	uint8_t space;		      /* of the protocol's vocabulary, or 255 */
	uint8_t code;
	uint64_t address;   /* first data address, counted from 0 */
	uint32_t quantity;  /* how many */
	uint64_t count;	    /* repetitions */
	uint64_t value;	    /* EVENT_COUNTS: event_counts_value */
	struct limit limit; /* EVENT_PDU that was refused */
	struct event_generation generation;
	struct place row; /* that allowed it */
	char text[EVENT_TEXTS][EVENT_TEXT];
	uint64_t
		said_ns; /* journal alone, not on the wire: the sender's time, which could not be taken; 0 = wall_ns is */
};

/*
 * A person ordered something of the register: EVENT_BEFORE is who answers for it, EVENT_BY the login, `server` the address that it came from over the web, and
 * `client` what the device says it has: nobody's text is cut for another's.
 */
bool event_device_ordered(const struct event *e);

/* `code` of EVENT_COUNTS: what its addresses are. A release that did not say so wrote 0. */
enum counts_code {
	COUNTS_UNSAID = 0,
	COUNTS_EXACT_PLACES, /* those that each of the operations touched */
	COUNTS_SPAN,	     /* the span of all of them */
};

/* In how many sessions, and over how many seconds, both at most UINT32_MAX. */
static inline uint64_t event_counts_value(uint64_t sessions, uint64_t seconds)
{
	return (seconds < UINT32_MAX ? seconds : UINT32_MAX) << 32 | (sessions < UINT32_MAX ? sessions : UINT32_MAX);
}

/* A record of that kind, once, about no conduit, flow or data. */
struct event event_new(enum event_kind kind, uint64_t wall_ns);

/* Copies what fits, never half a character. */
void event_say(struct event *e, enum event_text which, const char *text);

#define EVENT_WIRE 192u /* bytes of an encoded record without texts; more would cost the socket twice the memory */
#define EVENT_WIRE_MAX (EVENT_WIRE + EVENT_TEXTS * EVENT_TEXT)

/* Returns how many bytes the record has. */
size_t event_encode(const struct event *e, uint8_t out[EVENT_WIRE_MAX]);
/* False when kind, reason, verdict, families or texts are not what event_encode writes. */
bool event_decode(struct bytes b, struct event *ret);

/* A role's end of its event socket (SEQPACKET, non-blocking). Never blocks, counts what could not be sent. */
struct event_port {
	int fd; /* -1: everything is counted as lost */
	uint64_t lost;
	struct event_generation now; /* of records that name none */
};

void event_send(struct event_port *p, const struct event *e);

#endif

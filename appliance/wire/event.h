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

/* What EVENT_DEVICE says of a device beside the box. The tap sends only DEVICE_SEEN, which is not
 * recorded: the journal finds out by it which devices are new. */
enum device_event {
	DEVICE_SEEN = 0,
#define DEVICE_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/* `value` of EVENT_DEVICE: a MAC address; 0 = `count` sightings of devices at that interface that
 * are not reported one by one. */
static inline uint64_t event_mac_value(const uint8_t mac[6])
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 6; i++)
		v = v << 8 | mac[i];
	return v;
}

/* The state of a device in the register: known to a person; listed before anybody reviewed the
 * list; or the reason why it is unknown. Files and messages use this order. */
enum device_state {
	DEVICE_IS_KNOWN,
	DEVICE_IS_LISTED,
	DEVICE_IS_UNKNOWN,
	DEVICE_IS_ELSEWHERE,
	DEVICE_HAS_ADDRESS,
	DEVICE_STATES
};
const char *device_state_word(unsigned state);

/* Why a register of devices does not continue an earlier one of this box. Files and messages use
 * this order. */
enum device_anew {
	DEVICES_GO_ON, /* it continues the earlier one, or a person has reviewed it since */
	DEVICES_FIRST, /* there was no register and no records: a new box */
	DEVICES_GONE,  /* there was no register, though there are records */
	DEVICES_UNREADABLE,
	DEVICES_OTHER_FORM, /* the register was of another version of the program */
	DEVICES_RESTORED,   /* the register was copied from a backup, with its known devices */
	DEVICES_ANEW
};
/* NULL: it continues the earlier one. */
const char *device_anew_word(unsigned why);

#define MAC_TEXT 18u /* "02:00:00:00:00:01" with its NUL */
void event_mac_text(uint64_t value, char out[MAC_TEXT]);

/*
 * Value of `space` in EVENT_PASSED when the session was counted. Then `address` is the number of
 * bytes of packets from client to server, `value` the number from server to client, and `quantity`
 * the duration of the session in seconds. In sums, all three are sums.
 */
#define PASSED_COUNTED 0u

/* What EVENT_WEAK says was seen. */
enum weak_event {
	WEAK_NOTHING = 0,
#define WEAK_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/*
 * Value of `space` in EVENT_WEAK. Then `value` holds version and suite of the hello, `quantity` the
 * weaknesses (bits by enum tls_weakness), EVENT_OBJECT the server name if all sessions asked for
 * the same one, and `address` over how many seconds the `count` sessions came.
 */
#define WEAK_HELLO 0u

static inline uint64_t event_weak_value(uint16_t offered, uint16_t version, uint16_t suite)
{
	return (uint64_t)offered << 32 | (uint64_t)version << 16 | suite;
}

/*
 * Value of `space` in EVENT_UNDECLARED. Then EVENT_OBJECT is the server name for which all its
 * sessions asked, in lower case; "" = none that could be read. `address` as in EVENT_WEAK.
 */
#define UNDECLARED_NAME 0u

/* What EVENT_SILENCE says of a conduit with `heard_within`; `value`: for how many seconds it
 * carried nothing. */
enum silence_event {
	SILENCE_NOTHING = 0,
#define SILENCE_CODE(id, ...) id,
#include "appliance/wire/event.def"
};

/*
 * What EVENT_ATTACK says of signs of an attack (journal/attack.h). `space`: enum attack_cause;
 * `value` is the number of the alarm, `quantity` the number of hosts. The upper 32 bits of
 * `address` are the number of places; the lower 32 bits say how often the alarm has rung, or for
 * how many seconds it is silenced. EVENT_BEFORE and EVENT_AFTER are the machines at both ends.
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

/* `code` of EVENT_COUNTS: what its addresses mean. Releases before this field wrote 0. */
enum counts_code {
	COUNTS_UNSAID = 0,
	COUNTS_EXACT_PLACES, /* exactly the addresses that each operation touched */
	COUNTS_SPAN,	     /* only the span of all these addresses */
	/* no records are made of the codes that follow; the journal counts them
	 * (journal/trends.h) */
	COUNTS_BEGUN, /* enforce: `count` sessions of `conduit` began */
	/* worker: `count` packets were inspected; `value`: the 99th percentile of the last minute
	 * in ns */
	COUNTS_INSPECTED,
};

/* Packs the number of sessions and the number of seconds, each at most UINT32_MAX. */
static inline uint64_t event_counts_value(uint64_t sessions, uint64_t seconds)
{
	return (seconds < UINT32_MAX ? seconds : UINT32_MAX) << 32 | (sessions < UINT32_MAX ? sessions : UINT32_MAX);
}

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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each kind of event says has happened, and what its numbers mean. event.def lists all kinds
 * and codes.
 */
#ifndef SEKISHO_WIRE_EVENT_CODES_H
#define SEKISHO_WIRE_EVENT_CODES_H

#include <stdint.h>

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
#define STATE(id, ...) id,
#include "appliance/wire/device_state.def"
	DEVICE_STATES
};
const char *device_state_word(unsigned state);

/* Why a register of devices does not continue an earlier one of this box. Files and messages use
 * this order. */
enum device_anew {
	DEVICES_GO_ON, /* it continues the earlier one, or a person has reviewed it since */
#define ANEW(id, ...) id,
#include "appliance/wire/device_anew.def"
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
	/* enforce: sessions of `conduit` carried `count` packets that show it alive */
	COUNTS_CARRIED,
};

/* Packs the number of sessions and the number of seconds, each at most UINT32_MAX. */
static inline uint64_t event_counts_value(uint64_t sessions, uint64_t seconds)
{
	return (seconds < UINT32_MAX ? seconds : UINT32_MAX) << 32 | (sessions < UINT32_MAX ? sessions : UINT32_MAX);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event record: one fixed-size record for everything that the box notices, from a refused packet to a restarted
 * role. Records carry ids, never names; the journal, sole writer of the record file, resolves names from the generation
 * in force. A record that cannot be handed over is counted and the count is sent later (EVENT_LOST): loss is exact.
 */
#ifndef SEKISHO_WIRE_EVENT_H
#define SEKISHO_WIRE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/bytes.h"
#include "appliance/wire/limit.h"

enum event_kind {
	EVENT_NONE = 0,
	EVENT_DROP,    /* tap: the kernel dropped a packet (reason, tuple); `count` = packets this record stands for */
	EVENT_PDU,     /* worker: a PDU was refused, or would have been (observe) */
	EVENT_FLOW,    /* worker: a flow was refused, cut, confirmed or picked up */
	EVENT_COUNTS,  /* worker: accepted commands of a flow per function and range, since the last such record */
	EVENT_ROLE,    /* supervisor: a role started, died, hung; `value` = role, `code` = enum role_event */
	EVENT_POLICY,  /* supervisor: generation applied, confirmed, reverted, refused */
	EVENT_DRIFT,   /* enforce: kernel state changed behind our back; `value` = gap in microseconds when known */
	EVENT_LOST,    /* any role: `count` records could not be handed over */
	EVENT_DECIDED, /* gate: packets decided for a dead or hung worker; `count`, reason, lane in `value` */
	EVENT_LOGIN,   /* mgmt: an API client was refused or accepted */
	EVENT_KIND_COUNT
};

enum event_verdict { EV_ALLOW = 0, EV_DENY = 1, EV_OBSERVE = 2 };
enum role_event { ROLE_STARTED = 1, ROLE_DIED = 2, ROLE_HUNG = 3, ROLE_TOOK_OVER = 4 };
enum policy_event {
	POLICY_APPLIED = 1,
	POLICY_CONFIRMED = 2,
	POLICY_REVERTED = 3,
	POLICY_REFUSED = 4,
	POLICY_BOOTED = 5
};

/* What MSG_DRIFT and EVENT_DRIFT say has happened. */
enum drift {
	DRIFT_FLUSHED = 1, /* table or base chains were gone: forwarding was off until all stood again */
	DRIFT_CHANGED,	   /* our table differed; it has been mended */
	DRIFT_FOREIGN,	   /* somebody else's table or chain is in the namespace; it is left and named */
	DRIFT_SYSCTL,	   /* a network setting differed; it has been set again */
	DRIFT_UNMENDED,	   /* our table or a setting differs and could not be set right */
	DRIFT_SHUT,	   /* table or base chains were gone and cannot be loaded: forwarding stays off */
	DRIFT_NETWORK,	   /* an address, link or route of box.cfg differed; it has been set again */
	DRIFT_CLOCK,	   /* the clock was set, and ends of conduits came out otherwise; they are right again */
};

#define EVENT_NO_CONDUIT 0xffffffffu

struct event {
	uint64_t wall_ns;
	uint8_t kind;	    /* enum event_kind */
	uint8_t verdict;    /* enum event_verdict */
	uint16_t reason;    /* enum reason */
	uint32_t permit;    /* box permit id, 0 = none */
	uint32_t conduit;   /* index into the generation's conduits, or EVENT_NO_CONDUIT */
	uint32_t line;	    /* policy line responsible, 0 = none */
	struct addr client; /* who opened the session, or the source of the packet; family 0 = none */
	struct addr server;
	uint16_t client_port; /* ICMP: 0 */
	uint16_t server_port; /* ICMP: type << 8 | code */
	uint8_t l4proto;      /* IANA protocol number */
	uint8_t s2c;	      /* 1: server to client */
	uint16_t protocol;    /* enum protocol */
	uint32_t iif;	      /* interface index in the data namespace, 0 = unknown */
	uint8_t unit;
	uint8_t function;
	uint8_t space; /* enum modbus_space, or 255 */
	uint8_t code;
	uint32_t address;  /* first data address, counted from 0 */
	uint32_t quantity; /* how many */
	uint64_t count;	   /* repetitions */
	uint64_t value;
	struct limit limit; /* EVENT_PDU that was refused */
};

/* A record of that kind, once, about no conduit, flow or data. */
struct event event_new(enum event_kind kind, uint64_t wall_ns);

#define EVENT_WIRE 128 /* bytes of an encoded record, fixed */

void event_encode(const struct event *e, uint8_t out[EVENT_WIRE]);
/* False when kind, reason, verdict or families are out of range. */
bool event_decode(struct bytes b, struct event *ret);

/* A role's end of its event socket (SEQPACKET, non-blocking). Never blocks, counts what could not be sent. */
struct event_port {
	int fd; /* -1: everything is counted as lost */
	uint64_t lost;
};

void event_send(struct event_port *p, const struct event *e);

#endif

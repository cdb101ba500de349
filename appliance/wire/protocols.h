/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of protocols that a policy may name. One row of protocols.def a protocol; language, compiler, worker and docs read it.
 */
#ifndef SEKISHO_WIRE_PROTOCOLS_H
#define SEKISHO_WIRE_PROTOCOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* PROTO_TCP and so on, numbered in the order of protocols.def. */
#define PROTOCOL(depth, id, ...) PROTO_##id,
enum protocol {
	PROTO_NONE = 0, /* not named by the policy; "unknown" in events */
#include "appliance/wire/protocols.def"
	PROTO_COUNT
};

_Static_assert(PROTO_COUNT < 64, "protocols are bits of a 64-bit set");

static inline uint64_t proto_bit(unsigned p)
{
	return (uint64_t)1 << p;
}

#define PROTO_BITS (((uint64_t)1 << PROTO_COUNT) - 1) /* all of them */

enum protocol_depth {
	DEPTH_TRANSPORT,  /* never queued */
	DEPTH_NDPI,	  /* nDPI decides, at full-inspection confidence only */
	DEPTH_RECOGNISED, /* our own recogniser decides; nDPI may contradict */
	DEPTH_COMMANDS,	  /* our own enforcer decides every PDU */
};

/* Properties of a protocol. */
#define PROTO_OPAQUE 1u /* carries what cannot be inspected: counts as all commands in every proof */
#define PROTO_IN_CLEAR                                                                                                 \
	2u /* anybody on the way reads it, and what a password is; or it shows a desktop to whoever has one */
#define PROTO_BRIEF 4u /* its first bytes are so few that others' may look like them: asked last what something is */

#define TRANSPORT_TCP 1u
#define TRANSPORT_UDP 2u
#define TRANSPORT_ICMP 4u

struct protocol_info {
	const char *name;      /* in policies, events, JSON */
	const char *ndpi_name; /* nDPI's own name, compared without case; NULL when nDPI has none */
	enum protocol_depth depth;
	unsigned transports; /* TRANSPORT_* it may run over */
	unsigned properties; /* PROTO_* */
	const char *also;    /* what people write instead of the name, with a blank between them; NULL: nothing */
};

const struct protocol_info *protocol_info(enum protocol p); /* never NULL; unknown values give PROTO_NONE's row */
enum protocol protocol_by_name(const char *name);	    /* PROTO_NONE when unknown */
enum protocol protocol_also_called(const char *name); /* by its other names, of any case; PROTO_NONE when unknown */

static inline bool protocol_is(enum protocol p, unsigned property)
{
	return (protocol_info(p)->properties & property) != 0;
}

#endif

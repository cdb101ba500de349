/* SPDX-License-Identifier: Apache-2.0 */
/* The protocols that a policy may name. Each has a row in protocols.def, which the language, the
 * compiler, the workers and the documents read. */
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

/* all numbers are below it; a number may come from a newer release, see protocol_known() */
#define PROTO_MAX 512u
_Static_assert(PROTO_COUNT <= PROTO_MAX, "protocols are bits of a struct protocol_set");

/* A set of protocols. Start from zero bytes: empty. */
struct protocol_set {
	uint64_t bits[PROTO_MAX / 64u];
};

/* words of 32 bits in its sealed form, the lowest first */
#define PROTO_SET_WORDS (PROTO_MAX / 32u)

static inline void protocols_add(struct protocol_set *s, unsigned p)
{
	if (p < PROTO_MAX)
		s->bits[p / 64u] |= (uint64_t)1 << p % 64u;
}

static inline bool protocols_have(const struct protocol_set *s, unsigned p)
{
	return p < PROTO_MAX && (s->bits[p / 64u] >> p % 64u & 1u) != 0;
}

static inline void protocols_join(struct protocol_set *s, const struct protocol_set *others)
{
	for (unsigned i = 0; i < PROTO_MAX / 64u; i++)
		s->bits[i] |= others->bits[i];
}

/* Whether each protocol of the set is in `all`. */
static inline bool protocols_within(const struct protocol_set *s, const struct protocol_set *all)
{
	for (unsigned i = 0; i < PROTO_MAX / 64u; i++)
		if ((s->bits[i] & ~all->bits[i]) != 0)
			return false;
	return true;
}

/* The next protocol of the set after `p`; PROTO_NONE when there is none. To walk the set, start
 * with PROTO_NONE. */
static inline enum protocol protocols_next(const struct protocol_set *s, unsigned p)
{
	for (p++; p < PROTO_MAX; p = (p / 64u + 1u) * 64u) {
		uint64_t rest = s->bits[p / 64u] >> p % 64u;

		if (rest != 0)
			return (enum protocol)(p + (unsigned)__builtin_ctzll(rest));
	}
	return PROTO_NONE;
}

static inline bool protocols_none(const struct protocol_set *s)
{
	return protocols_next(s, PROTO_NONE) == PROTO_NONE;
}

/* The protocol of a set with one member; PROTO_NONE when there are none or several. */
static inline enum protocol protocols_only(const struct protocol_set *s)
{
	enum protocol p = protocols_next(s, PROTO_NONE);

	return protocols_next(s, p) == PROTO_NONE ? p : PROTO_NONE;
}

enum protocol_depth {
	DEPTH_TRANSPORT,  /* never queued */
	DEPTH_NDPI,	  /* nDPI decides, at full-inspection confidence only */
	DEPTH_RECOGNISED, /* our own recogniser decides; nDPI may contradict */
	DEPTH_COMMANDS,	  /* our own enforcer decides every PDU */
};

/* Properties of a protocol. */
/* the content cannot be inspected, so it counts as all commands in every proof */
#define PROTO_OPAQUE 1u
/* The protocol is clear text, so anybody on the path can read its contents and passwords; or it is
 * a remote desktop. */
#define PROTO_IN_CLEAR 2u
/* the protocol is recognised by so few bytes that others may begin in the same way, so its
 * recogniser is asked last */
#define PROTO_BRIEF 4u
/* one session opens connections for other sessions of its pair of hosts: one worker has to see all
 * of them */
#define PROTO_COMPANIONS 8u
#define PROTO_SERVER_FIRST 16u /* its client sends nothing before the server's greeting */

#define TRANSPORT_TCP 1u
#define TRANSPORT_UDP 2u
#define TRANSPORT_ICMP 4u

struct protocol_info {
	const char *name;      /* in policies, events, JSON */
	const char *ndpi_name; /* nDPI's own name, compared without case; NULL when nDPI has none */
	enum protocol_depth depth;
	unsigned transports; /* TRANSPORT_* it may run over */
	unsigned properties; /* PROTO_* */
	/* other names that people write, separated by blanks; NULL: none */
	const char *also;
};

/* never NULL; unknown values give PROTO_NONE's row */
const struct protocol_info *protocol_info(enum protocol p);
enum protocol protocol_by_name(const char *name); /* PROTO_NONE when unknown */
/*
 * Finds a protocol by its other names, in small or capital letters; PROTO_NONE when unknown.
 * "ndpi:ssh" finds the protocol that a recogniser of ours confirms; a name without "ndpi:" may find
 * one that nDPI alone confirms.
 */
enum protocol protocol_also_called(const char *name);

#define NDPI_PREFIX "ndpi:" /* prefix of names that only nDPI confirms (DEPTH_NDPI) */
#define UNMEASURED UINT32_MAX
/*
 * How many bytes of a session may pass before its protocol is known: 0 where a recogniser of ours
 * decides; for names of nDPI the largest measured number (docs/names.md), or UNMEASURED.
 */
uint32_t protocol_undecided(enum protocol p);

unsigned protocols_end(void); /* one more than the last number that has a row; at most PROTO_MAX */

static inline bool protocol_known(unsigned p)
{
	return p > PROTO_NONE && p < protocols_end();
}

static inline bool protocol_is(enum protocol p, unsigned property)
{
	return (protocol_info(p)->properties & property) != 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers that chose weak TLS, by address and port: when they were first and last seen, what
 * was weak, and in how many sessions. Journal role only; the list is kept in the file `weak` beside
 * the records, so that an alarm survives a restart. The records have all such sessions; this list
 * has the current state.
 *
 * A server not seen for WEAK_OVER_S is removed. A server whose records a person has reviewed and
 * signed is no alarm for WEAK_KNOWN_S, unless a new weakness appears. Strangers cause the entries,
 * so the list has a fixed size and each conduit a part of it. Further servers of a conduit share
 * one entry without an address; beyond that they are only counted.
 *
 * A clock that is wrong for some minutes does no damage: servers are removed, and times in the
 * future are set to the present, only after the clock ran for an hour without being set.
 */
#ifndef SEKISHO_JOURNAL_WEAK_H
#define SEKISHO_JOURNAL_WEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/clock.h"
#include "appliance/base/columns.h"

#define WEAK_SERVERS 256u
#define WEAK_BY_CONDUIT 32u	 /* servers of one conduit */
#define WEAK_CONDUIT 65u	 /* bytes of the name, with the NUL */
#define WEAK_SESSIONS UINT32_MAX /* sessions are counted up to this number */
#define WEAK_OVER_S (30u * 86400u)
#define WEAK_KNOWN_S (90u * 86400u)
#define WEAK_SETTLED_NS 3600000000000ull

struct weak_server {
	struct addr address; /* family 0: all servers of the conduit that have no entry */
	uint16_t port;
	/* weaknesses of all its sessions, bits by enum tls_weakness; 0 = not known */
	uint32_t bits;
	char conduit[WEAK_CONDUIT]; /* conduit by which it was last seen; "" = not known */
	uint64_t first, last;	    /* seconds since 1970 */
	uint64_t sessions;
	uint64_t reviewed;	/* when a person signed a review of its records, 0 = never */
	uint32_t reviewed_bits; /* weaknesses that were known at that time */
};

/* Filled by weak_load(). */
struct weak_list {
	struct weak_server list[WEAK_SERVERS]; /* in the order in which they were first seen */
	size_t n;
	/* number of sessions for which there was no room, and the time of the last one */
	uint64_t beyond;
	uint64_t beyond_last;
	/* the earlier list could not be read, and the records have not been reviewed since */
	bool damaged;
	/* `changed`: something is not saved; `stale`: only numbers and times are not saved */
	bool changed, stale;
};

/* *ret_damaged: the file could not be read, and was set aside. */
void weak_load(int folder, struct weak_list *ret, bool *ret_damaged);
extern const struct columns_file weak_file; /* of a struct weak_list */

/* Adds s->sessions sessions with that server, the last of them at s->last. s->first is used if the
 * server is new. */
void weak_see(struct weak_list *l, const struct weak_server *s);
/* A person has signed a review of the records between two moments. */
void weak_review(struct weak_list *l, uint64_t since, uint64_t until, uint64_t now);
/* Whether wall time has run like monotonic time for WEAK_SETTLED_NS. Starts as zeros. To be called
 * at each event, and once an hour. */
struct weak_steady {
	struct clock_pair pair;
	uint64_t since_ns; /* monotonic */
};
bool weak_settled(struct weak_steady *s, struct mono now, uint64_t wall_ns);
/* Removes servers that were not seen for long, and sets times in the future to the present. Only to
 * be called while the clock is settled. */
void weak_tidy(struct weak_list *l, uint64_t now);
/* Whether the server is an alarm. */
bool weak_is_alarm(const struct weak_server *s, uint64_t now);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers that chose weak TLS, by address and port: since when, until when, what was weak, and how many sessions. Journal role only; it is kept in
 * the file `weak` beside the records, so that an alarm of them outlives a restart. The records say the same in full; this is what of them is still so.
 *
 * One that was not seen for WEAK_OVER_S is taken off. One whose records a person has reviewed and signed is no alarm for WEAK_KNOWN_S, unless it is weak in
 * a way that it was not then. Workers read what strangers say, so the list has a stated size and a conduit its part of it: what is
 * beyond is one entry of the conduit without a server, and beyond all a count.
 *
 * A clock that is wrong for some minutes forgets nothing and leaves nothing: only when it has gone on for an hour without being set are servers taken off, and
 * times that are yet to come held to now.
 */
#ifndef SEKISHO_JOURNAL_WEAK_H
#define SEKISHO_JOURNAL_WEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/clock.h"
#include "appliance/base/err.h"

#define WEAK_SERVERS 256u
#define WEAK_BY_CONDUIT 32u	 /* ... that one conduit brings */
#define WEAK_CONDUIT 65u	 /* of its name, with its NUL */
#define WEAK_SESSIONS UINT32_MAX /* counted up to so many */
#define WEAK_OVER_S (30u * 86400u)
#define WEAK_KNOWN_S (90u * 86400u)
#define WEAK_SETTLED_NS 3600000000000ull

struct weak_server {
	struct addr address; /* family 0: the rest of a conduit */
	uint16_t port;
	uint32_t bits;		    /* by enum tls_weakness, of all its sessions; 0 = not told */
	char conduit[WEAK_CONDUIT]; /* by which it was seen last; "" = not known */
	uint64_t first, last;	    /* seconds since 1970 */
	uint64_t sessions;
	uint64_t reviewed;	/* when somebody signed a review of its records, 0 = nobody has */
	uint32_t reviewed_bits; /* what was known of it then */
};

/* Start from weak_load(). */
struct weak_list {
	struct weak_server list[WEAK_SERVERS]; /* the first that were seen stand first */
	size_t n;
	uint64_t beyond; /* sessions that found no place in it, and when the last was */
	uint64_t beyond_last;
	bool damaged;	     /* the one before it could not be read, and nobody has reviewed the records since */
	bool changed, stale; /* something is not saved; only numbers and times */
};

/* *ret_damaged: what stood there could not be read, and was set aside. */
void weak_load(int folder, struct weak_list *ret, bool *ret_damaged);
int weak_save(int folder, struct weak_list *l, struct err *e);
/* The file's bytes, pure: false = they are none that weak_save writes. */
bool weak_parse(const uint8_t *text, size_t n, struct weak_list *ret);

/* So many sessions more with that server, of which the last was `s->last`; `first` counts where it was not known. */
void weak_see(struct weak_list *l, const struct weak_server *s);
/* Somebody has signed a review of the records between two moments. */
void weak_review(struct weak_list *l, uint64_t since, uint64_t until, uint64_t now);
/* The clock has gone on for WEAK_SETTLED_NS as monotonic time does, as far as it was asked; starts as zeros. Asked at each event, and once an hour. */
struct weak_steady {
	struct clock_pair pair;
	uint64_t since_ns; /* monotonic */
};
bool weak_settled(struct weak_steady *s, struct mono now, uint64_t wall_ns);
/* Those that were not seen for long go, and what is yet to come is held to now. Only while the clock is settled. */
void weak_tidy(struct weak_list *l, uint64_t now);
/* It is one that somebody should look at. */
bool weak_is_alarm(const struct weak_server *s, uint64_t now);

#endif

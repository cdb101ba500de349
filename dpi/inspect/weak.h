/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records sessions with weak TLS, and sessions to undeclared servers. The first session of a kind
 * is recorded at once; further ones are added up and recorded every hour. A kind is a conduit, a
 * pair of hosts and a weakness; for servers, it is a conduit and a name. So a client that repeats
 * such sessions does not flood the records, and the sum of all counts is exact.
 *
 * The table has a stated size and no peer can make it grow: each conduit has a part of it, and
 * further sessions of the conduit become one sum without hosts. Nothing waits for it and nothing is
 * allocated. It decides nothing.
 */
#ifndef SEKISHO_DPI_INSPECT_WEAK_H
#define SEKISHO_DPI_INSPECT_WEAK_H

#include "dpi/hello.h"
#include "dpi/inspect/crossing.h"

#define WEAK_MAX 512u /* entries of the table of a worker */
/* most entries for pairs of hosts, and most entries for names of servers; the others are for the
 * sums of conduits */
#define WEAK_EXACT (WEAK_MAX / 8u * 3u)
#define WEAK_OF_CONDUIT 64u /* most entries of each kind for one conduit */

struct weaks *weaks_new(void); /* NULL when memory is out */
void weaks_free(struct weaks *all);

/* The generation has ended: its sums are written from the next tick on. */
void weaks_end_hour(struct inspector *i);
void weaks_write_due(struct inspector *i);
uint64_t weaks_next_due(const struct weaks *all);
/* Writes all sums now. */
void weaks_write_all(struct inspector *i);

/*
 * Follows TLS sessions from the client's first bytes, which show that the protocol is TLS, to the
 * server's hello, which shows how well the session is protected. Where the policy reports weak TLS,
 * a session is no longer followed after the server's hello, or as soon as it cannot be followed;
 * nothing is ever refused. Where the policy denies weak TLS, sessions are followed like commands:
 * no byte passes unread, the last bytes of a hello that chooses weak TLS do not pass, and a session
 * whose hello cannot be read ends.
 */

/* Whether weak TLS, and TLS that may be weak, is denied. */
static inline bool greet_stops(const struct command_permit *permit)
{
	return permit != NULL && permit->deny_weak_tls && !permit->observe;
}

/* These new bytes showed that the session is of protocol `p`. True when the session is followed
 * from now on (f->greets). */
bool greet_begin(struct crossing *x, enum protocol p, struct bytes fresh);
/* Whether a session that greet_begin does not follow must end. */
bool greet_has_to_begin(const struct crossing *x, enum protocol p);
/* Compares the server name in the client's hello with what this permit's conduits declare. A
 * session to an undeclared server is recorded, once. */
void greet_look_up(struct inspector *i, struct flow *f, const struct command_permit *permit);
/* A session of this protocol goes on though the client's hello could not be read. It counts as one
 * without a server name. */
void greet_unnamed(struct crossing *x, enum protocol p);
/* Reads new bytes of a session that is followed. STEP_ON when they pass and the session is still
 * followed. */
MUST_SEND struct verdict greet_take(struct crossing *x, struct bytes fresh);
/* The server's hello was not read: the session is no longer followed, or ends. */
MUST_SEND struct verdict greet_let_go(struct crossing *x);
/* Whether this permit must end a session that is no longer followed, because of what its
 * hellos said. */
bool greet_ends(const struct flow *f, const struct command_permit *permit);

#endif

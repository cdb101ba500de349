/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was seen that protects a session badly, and servers that nobody declared: told once at its first, then as a sum in each hour, by conduit, pair of hosts
 * and what was seen; a server by conduit and name. So a client that does it with every session fills no record, and the counts of all records together are exact.
 *
 * The table has a stated size and no peer can make it grow: a conduit has its part of it, beyond which its sessions are one sum without their
 * ends. Nothing waits for it and nothing is allocated. It decides nothing.
 */
#ifndef SEKISHO_DPI_INSPECT_WEAK_H
#define SEKISHO_DPI_INSPECT_WEAK_H

#include "dpi/hello.h"
#include "dpi/inspect/crossing.h"

#define WEAK_MAX 512u /* kinds a worker tells apart */
#define WEAK_EXACT                                                                                                     \
	(WEAK_MAX / 8u *                                                                                               \
	 3u) /* of which so many by their ends, and so many servers by their names; the rest is for sums of conduits */
#define WEAK_OF_CONDUIT 64u /* ... and of one conduit */

struct weaks *weaks_new(void); /* NULL when memory is out */
void weaks_free(struct weaks *all);

/* Sums are written from the next tick on: their generation is over. */
void weaks_end_hour(struct inspector *i);
void weaks_write_due(struct inspector *i);
uint64_t weaks_next_due(const struct weaks *all);
/* All of it, now. */
void weaks_write_all(struct inspector *i);

/*
 * TLS sessions between the client's first bytes, by which they are what was promised, and the server's hello, by which it is known how well they
 * are protected. They are followed that long. Where weak TLS is reported they are let go of then, or as soon as anything stands in the way: nothing is refused,
 * whatever a hello says and whatever becomes of a segment. Where it is denied they are followed like commands: no byte passes that was not read, a hello that
 * chooses what is weak lacks its last ones, and a session whose hello cannot be read ends.
 */

/* Weak TLS, and what may be it, is stopped. */
static inline bool greet_stops(const struct command_permit *permit)
{
	return permit != NULL && permit->deny_weak_tls && !permit->observe;
}

/* A session that was found to be `p` by these new bytes: true when it is followed on (f->greets). */
bool greet_begin(struct crossing *x, enum protocol p, struct bytes fresh);
/* ... and when it is not: it may not go on like that. */
bool greet_has_to_begin(const struct crossing *x, enum protocol p);
/* A session whose client's hello was read, by what this permit's conduits declare: it is recorded, once, where none declares its server. */
void greet_look_up(struct inspector *i, struct flow *f, const struct command_permit *permit);
/* A session of this protocol whose client's hello nobody could read goes on: as one that asked for no server. */
void greet_unnamed(struct crossing *x, enum protocol p);
/* New bytes of such a session: STEP_ON when they pass and it is followed on. */
MUST_SEND struct verdict greet_take(struct crossing *x, struct bytes fresh);
/* It is let go of without the server's hello, or ends. */
MUST_SEND struct verdict greet_let_go(struct crossing *x);
/* This permit does not bear a session that was let go of, by what its hellos said. */
bool greet_ends(const struct flow *f, const struct command_permit *permit);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS sessions between the client's first bytes, by which they are what was promised, and the server's hello, by which it is known how well they
 * are protected. They are followed that long. Where weak TLS is reported they are let go of then, or as soon as anything stands in the way: nothing is refused,
 * whatever a hello says and whatever becomes of a segment. Where it is denied they are followed like commands: no byte passes that was not read, a hello that
 * chooses what is weak lacks its last ones, and a session whose hello cannot be read ends.
 */
#ifndef SEKISHO_DPI_INSPECT_GREET_H
#define SEKISHO_DPI_INSPECT_GREET_H

#include "dpi/inspect/crossing.h"

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

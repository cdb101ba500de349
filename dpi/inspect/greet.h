/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS sessions between the client's first bytes, by which they are what was promised, and the server's hello, by which it is known how well they
 * are protected. They are followed that long and let go of then, or as soon as anything stands in the way: nothing is refused here, whatever a
 * hello says and whatever becomes of a segment.
 */
#ifndef SEKISHO_DPI_INSPECT_GREET_H
#define SEKISHO_DPI_INSPECT_GREET_H

#include "dpi/inspect/crossing.h"

/* A session that was found to be `p` by these new bytes: true when it is followed on (f->greets). */
bool greet_begin(struct crossing *x, enum protocol p, struct bytes fresh);
/* New bytes of such a session: STEP_ON when they pass and it is followed on. */
MUST_SEND struct verdict greet_take(struct crossing *x, struct bytes fresh);
/* It is let go of without the server's hello. */
MUST_SEND struct verdict greet_let_go(struct crossing *x);

#endif

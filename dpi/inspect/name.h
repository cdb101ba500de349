/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a session has the protocol that its permit allows. Our own recognisers decide from the
 * first bytes of each direction. nDPI decides alone only for protocols without a recogniser of
 * ours, and may contradict our recogniser for a few others. Bytes that fit nothing are counted
 * against `undecided_bytes`.
 *
 * On a lane for commands a permit may allow enforced protocols and others on the same ports. The
 * first bytes decide: a session whose protocol a recogniser finds is not judged further; a session
 * that the enforcer can cut into PDUs is judged for the rest of its life.
 */
#ifndef SEKISHO_DPI_INSPECT_NAME_H
#define SEKISHO_DPI_INSPECT_NAME_H

#include "dpi/inspect/crossing.h"

enum naming_step {
	NAMING_PASS,	 /* not known yet, and still below the limit of undecided bytes */
	NAMING_CONFIRM,	 /* it has a protocol of the permit */
	NAMING_ANY,	 /* the permit allows any protocol */
	NAMING_COMMANDS, /* from here on its enforcer judges its commands */
	NAMING_REFUSE,
};

struct naming {
	enum naming_step step;
	enum reason reason;
	enum protocol protocol; /* the protocol, as far as it is known */
};

/* Judges new bytes of a flow whose protocol is not known yet. */
struct naming name_bytes(struct crossing *x, struct bytes fresh);
/* Whether the bytes of an undecided flow can still become a protocol of the new permit. */
bool name_fits_again(struct crossing *x);
/* The enforced protocol of this permit, if it allows no other protocol; PROTO_NONE otherwise. */
enum protocol name_only_commands(const struct crossing *x);
void name_forget(struct inspector *i, struct flow *f); /* frees the nDPI state */
void name_restart(struct flow *f);		       /* begins anew for another connection */

#endif

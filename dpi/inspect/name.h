/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is it what was promised? Our own recognisers decide from the first bytes of each direction; nDPI decides alone only for
 * protocols that have none, and may contradict. Bytes that fit nothing are counted against `undecided_bytes`.
 *
 * On a lane for commands a permit may promise enforced protocols and others on the same ports. The first bytes tell: what
 * a recogniser knows is named and goes its way, what the enforcer can cut into PDUs is enforced for the rest of its life.
 */
#ifndef SEKISHO_DPI_INSPECT_NAME_H
#define SEKISHO_DPI_INSPECT_NAME_H

#include "dpi/inspect/crossing.h"

enum naming_step {
	NAMING_PASS,	 /* not known yet, and few bytes enough */
	NAMING_CONFIRM,	 /* it is what was promised */
	NAMING_ANY,	 /* anything was promised */
	NAMING_COMMANDS, /* its enforcer judges it from here on */
	NAMING_REFUSE,
};

struct naming {
	enum naming_step step;
	enum reason reason;
	enum protocol protocol; /* what it is, as far as known */
};

/* What these new bytes of a flow without a name say. */
struct naming name_bytes(struct crossing *x, struct bytes fresh);
/* Whether the new permit promises what the bytes of an undecided flow may become. */
bool name_fits_again(struct crossing *x);
/* The one protocol that is enforced on this permit when it promises nothing else; PROTO_NONE otherwise. */
enum protocol name_only_commands(const struct crossing *x);
void name_forget(struct inspector *i, struct flow *f); /* gives the library's state back */
void name_restart(struct flow *f);		       /* another connection */

#endif

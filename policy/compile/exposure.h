/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a site should know of its own policy before it is in force: ways from outside to equipment that cannot be mended,
 * clear text and remote desktops from outside, all commands to a control network, test and production together, and what
 * a peer can force where a conduit passes without inspection. Each is a warning at the conduit that opens the way, and is
 * silent where that conduit accepts it with a reason (`accept`). Pure.
 */
#ifndef SEKISHO_POLICY_COMPILE_EXPOSURE_H
#define SEKISHO_POLICY_COMPILE_EXPOSURE_H

#include "policy/check/model.h"
#include "policy/read/compilation.h"

/* Adds the warnings to c->diags. */
void exposure_report(struct compilation *c);

#endif

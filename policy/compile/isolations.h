/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEKISHO_POLICY_COMPILE_ISOLATIONS_H
#define SEKISHO_POLICY_COMPILE_ISOLATIONS_H

#include "policy/ir/ir.h"
#include "policy/read/compilation.h"

/*
 * Behind cells and commands: isolations, what `always` asks for, and which conduits only read, into `ir`. Says what an isolation contradicts. False: it was
 * refused, or memory is out.
 */
bool isolations_make(struct compilation *c, struct ir *ir);

#endif

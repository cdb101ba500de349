/* SPDX-License-Identifier: Apache-2.0 */
/* A digest of what a conduit allows: the same hosts, ports and rows give the same digest in every
 * generation, however they are written. */
#ifndef SEKISHO_IR_MEANING_H
#define SEKISHO_IR_MEANING_H

#include <stdint.h>

#include "policy/ir/ir.h"

void ir_conduit_meaning(const struct ir *ir, const struct ir_conduit *c, uint8_t ret[32]);

#endif

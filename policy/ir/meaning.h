/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of what a conduit or a door allows. Whoever agrees to one agrees to all of it.
 */
#ifndef SEKISHO_POLICY_IR_MEANING_H
#define SEKISHO_POLICY_IR_MEANING_H

#include <stdbool.h>
#include <stdint.h>

struct ir;
struct ir_conduit;

/* A digest of what a conduit allows: the same hosts, ports and rows give the same digest in every
 * generation, however they are written. */
void ir_conduit_meaning(const struct ir *ir, const struct ir_conduit *c, uint8_t ret[32]);
/* A digest of the door of this name: its own settings, and each conduit behind it with its name,
 * its zones and their interfaces, its times, and what it allows. False, and *ret all zero: there is
 * no such door. */
bool ir_door_meaning(const struct ir *ir, const char *name, uint8_t ret[32]);

#endif

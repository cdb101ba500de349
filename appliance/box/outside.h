/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What else has a say in the data and the admin namespace besides our rules: ways around them that no reading of nf_tables shows. Links
 * that are not the policy's, bridges and the like over those that are, XDP and tc programs, legacy iptables, policy routing; and what lies
 * on a card of the box in the first namespace.
 * Supervisor only; names, never changes: these are others' affairs until somebody decides.
 */
#ifndef SEKISHO_BOX_OUTSIDE_H
#define SEKISHO_BOX_OUTSIDE_H

#include "appliance/box/box.h"

/* `each` as for box_compare, `what` always "foreign". 0, or the first failure: then something was not looked at. */
int outside_look(const struct box_spaces *s, const struct ir *ir, box_difference *each, void *ctx, struct err *e);

#endif

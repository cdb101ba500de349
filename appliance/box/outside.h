/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds ways around our rules in the data and the admin namespace that nf_tables does not show:
 * devices that are not in the policy; bridges and the like over devices of the policy; XDP and tc
 * programs; legacy iptables; policy routing. In the first namespace, finds devices on a card of
 * the box. It reports and never changes anything, because a person has to decide.
 */
#ifndef SEKISHO_BOX_OUTSIDE_H
#define SEKISHO_BOX_OUTSIDE_H

#include "appliance/base/err.h"
#include "appliance/box/box.h"

struct ir;

/* `each` as for box_compare; `what` is always "foreign". 0, or the first failure: the search is
 * then incomplete. */
int outside_look(const struct box_spaces *s, const struct ir *ir, box_difference *each, void *ctx, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds ways around our rules in the data and the admin namespace that nf_tables does not show:
 * devices that are not in the policy; bridges and the like over devices of the policy; XDP and tc
 * programs; legacy iptables; policy routing. In the first namespace, finds devices on a card of the
 * box. Supervisor only. It reports and never changes anything, because a person has to decide.
 */
#ifndef SEKISHO_BOX_OUTSIDE_H
#define SEKISHO_BOX_OUTSIDE_H

#include "appliance/box/box.h"
#include "appliance/kernel/small_tables.h"

/* `each` as for box_compare; `what` is always "foreign". 0, or the first failure: the search is
 * then incomplete. */
int outside_look(const struct box_spaces *s, const struct ir *ir, box_difference *each, void *ctx, struct err *e);

/* Sets and reads the rules of the admin namespace (kernel/admin_rules.h); the process may be in any
 * namespace. Supervisor only. */

/* Sets the rules for the peers of `ir`. If `ir` has no admin interface, nothing is admitted. `note`
 * as for plain_table_set. 0 or negative errno. */
int box_admin_rules(const struct box_spaces *s, const struct ir *ir, bool dry, plain_note *note, void *ctx,
		    struct err *e);
/* Sets rules without peers, if there are no rules yet. */
int box_admin_rules_base(const struct box_spaces *s, struct err *e);
/* Reads the rules in the kernel. Peers of `ir` are recognised. */
int box_admin_rules_read(const struct box_spaces *s, const struct ir *ir, admin_rules_each *each, void *ctx,
			 struct admin_rules_seen *ret, struct err *e);

/* Reports rules of other programs in the admin namespace, as outside_look does. 0 or negative
 * errno. */
int box_admin_rules_beside(const struct box_spaces *s, box_difference *each, void *ctx, struct err *e);

#endif

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
#include "appliance/kernel/admin_rules.h"

/* `each` as for box_compare, `what` always "foreign". 0, or the first failure: then something was not looked at. */
int outside_look(const struct box_spaces *s, const struct ir *ir, box_difference *each, void *ctx, struct err *e);

/* What may leave and enter the admin namespace (kernel/admin_rules.h), from wherever the process is. Supervisor only. */

/* The rules of ir's peers, shut where ir has no admin interface; `note` as for plain_table_set. 0 or negative errno. */
int box_admin_rules(const struct box_spaces *s, const struct ir *ir, bool dry, plain_note *note, void *ctx,
		    struct err *e);
/* Those of none, where none stand yet. */
int box_admin_rules_base(const struct box_spaces *s, struct err *e);
/* What stands, with the peers of `ir` for names. */
int box_admin_rules_read(const struct box_spaces *s, const struct ir *ir, admin_rules_each *each, void *ctx,
			 struct admin_rules_seen *ret, struct err *e);

/* What else has rules there: told as outside_look does. 0 or negative errno. */
int box_admin_rules_beside(const struct box_spaces *s, box_difference *each, void *ctx, struct err *e);

#endif

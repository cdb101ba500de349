/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets and reads the rules of the admin namespace (kernel/small_tables.h); the process may be in
 * any namespace.
 */
#ifndef SEKISHO_BOX_ADMIN_RULES_H
#define SEKISHO_BOX_ADMIN_RULES_H

#include <stdbool.h>

#include "appliance/base/err.h"
#include "appliance/kernel/small_tables.h"

struct box_spaces;
struct ir;

/* Sets the rules for the peers of `ir`. If `ir` has no admin interface, nothing is admitted. `note`
 * as for plain_table_set. 0 or negative errno. */
int box_admin_rules(const struct box_spaces *s, const struct ir *ir, bool dry, plain_note *note, void *ctx,
		    struct err *e);
/* Sets rules without peers, if there are no rules yet. */
int box_admin_rules_base(const struct box_spaces *s, struct err *e);
/* Reads the rules of the admin namespace from the kernel. `each` also gets the peer of `ir` that a
 * rule is for. */
int box_admin_rules_read(const struct box_spaces *s, const struct ir *ir, admin_rules_each *each, void *ctx,
			 struct admin_rules_seen *ret, struct err *e);

#endif

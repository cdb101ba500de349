/* SPDX-License-Identifier: Apache-2.0 */
/* What may leave and enter the admin namespace (kernel/admin_rules.h), from wherever the process is. Supervisor only. */
#ifndef SEKISHO_BOX_ADMIN_RULES_H
#define SEKISHO_BOX_ADMIN_RULES_H

#include "appliance/box/box.h"
#include "appliance/kernel/admin_rules.h"

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

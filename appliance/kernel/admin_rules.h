/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may leave and enter the admin namespace: a table of its own there ("inet sekisho"). Its
 * output chain accepts answers to hosts that asked the box (where terminals are named, to these
 * alone), packets that stay on the box, neighbour discovery, and packets to the peers of box.cfg;
 * it drops and counts everything else. Its input chain accepts answers to what the box asked. At
 * the management's port it accepts the terminals of box.cfg or, if box.cfg names none, everybody on
 * the admin networks. Each packet is judged by itself, after any change by the rules of others.
 * Nothing is forwarded between interfaces. Supervisor only.
 */
#ifndef SEKISHO_KERNEL_ADMIN_RULES_H
#define SEKISHO_KERNEL_ADMIN_RULES_H

#include "appliance/kernel/plain_table.h"
#include "policy/ir/ir.h"

/* As plain_table_set, in the caller's namespace, for these peers. `closed`: nobody is admitted, not
 * even terminals. */
int admin_rules_set(const struct ir_peer *list, size_t n, bool closed, bool dry, plain_note *note, void *ctx,
		    struct err *e);
/* If there is no such table, makes one without peers that admits nobody, for the time before a
 * policy is known. */
int admin_rules_base(struct err *e);

struct admin_rules_seen {
	bool there;   /* the table exists */
	bool anybody; /* everybody is admitted: no terminal is named */
	/* packets refused on the way out and in since the last change of the rules */
	uint64_t refused, refused_in;
};

/* Called for each rule. For a rule that belongs to no peer of the list `peer` is NULL, and `text`
 * says what it is. */
typedef void admin_rules_each(void *ctx, const struct ir_peer *peer, const char *text, uint64_t packets,
			      uint64_t bytes);
/* Reads the table in the caller's namespace from the kernel. 0 or negative errno. */
int admin_rules_read(const struct ir_peer *list, size_t n, admin_rules_each *each, void *ctx,
		     struct admin_rules_seen *ret, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may leave and enter the admin namespace: a table of its own there ("inet sekisho"). Its output chain lets by answers to those who
 * asked the box (where terminals are named, to these alone), what stays on the box, neighbour discovery, and packets to the peers of
 * box.cfg; all else it drops and counts. Its input chain lets by answers to what the box asked, and the terminals of box.cfg to the
 * management's port; where none is named, everybody, who is on the admin networks. Each packet is looked at by itself, behind whatever
 * others change in it. Nothing is passed on between interfaces. Supervisor only.
 */
#ifndef SEKISHO_KERNEL_ADMIN_RULES_H
#define SEKISHO_KERNEL_ADMIN_RULES_H

#include "appliance/kernel/plain_table.h"
#include "policy/ir/ir.h"

/* As plain_table_set, in the caller's namespace, for these peers. `closed`: nobody enters, terminal or not. */
int admin_rules_set(const struct ir_peer *list, size_t n, bool closed, bool dry, plain_note *note, void *ctx,
		    struct err *e);
/* Where no such table stands: one without peers, which nobody enters. For the time before a policy is known. */
int admin_rules_base(struct err *e);

struct admin_rules_seen {
	bool there;		      /* the table stands */
	bool anybody;		      /* enters: no terminal is named */
	uint64_t refused, refused_in; /* packets on the way out and in, since the rules were last changed */
};

/* A rule for a peer of the list, or one that belongs to no list: then `peer` is NULL, and `text` says what it is. */
typedef void admin_rules_each(void *ctx, const struct ir_peer *peer, const char *text, uint64_t packets,
			      uint64_t bytes);
/* What stands in the caller's namespace, as the kernel has it. 0 or negative errno. */
int admin_rules_read(const struct ir_peer *list, size_t n, admin_rules_each *each, void *ctx,
		     struct admin_rules_seen *ret, struct err *e);

#endif

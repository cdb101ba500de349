/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may leave the admin namespace: a table of its own there ("inet sekisho"), whose output chain lets by answers to those who asked
 * the box, what stays on the box, neighbour discovery, and packets to the peers of box.cfg; all else it drops and counts. It stands
 * behind whatever others change in a packet, and passes nothing on between interfaces. What comes in is no business of it.
 * Supervisor only.
 */
#ifndef SEKISHO_KERNEL_EGRESS_H
#define SEKISHO_KERNEL_EGRESS_H

#include "appliance/kernel/plain_table.h"
#include "policy/ir/ir.h"

/* As plain_table_set, in the caller's namespace, for these peers. */
int egress_set(const struct ir_peer *list, size_t n, bool dry, plain_note *note, void *ctx, struct err *e);
/* Where no such table stands: one without peers. For the time before a policy is known. */
int egress_base(struct err *e);

struct egress_seen {
	bool there;	  /* the table stands */
	uint64_t refused; /* packets, since its rules were last changed */
};

/* A rule for a peer of the list, or one that belongs to no list: then `peer` is NULL, and `text` says what it is. */
typedef void egress_each(void *ctx, const struct ir_peer *peer, const char *text, uint64_t packets, uint64_t bytes);
/* What stands in the caller's namespace, as the kernel has it. 0 or negative errno. */
int egress_read(const struct ir_peer *list, size_t n, egress_each *each, void *ctx, struct egress_seen *ret,
		struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by plain_table.c, which makes the transaction, and plain_table_text.c, which writes the
 * kernel's table and the wanted one as text; included by these two only. */
#ifndef SEKISHO_KERNEL_PLAIN_TABLE_PRIVATE_H
#define SEKISHO_KERNEL_PLAIN_TABLE_PRIVATE_H

#include "appliance/kernel/plain_table.h"
#include "appliance/kernel/talk.h"

#define PLAIN_MESSAGE 4096u /* bytes; no message needs more */

struct plain_count {
	uint64_t packets, bytes;
};

/* A table as text: the table, its chains in order, and their rules. Tables are equal if their texts
 * are. */
struct table_text {
	uint8_t family;
	const char *name;
	char *out; /* owned */
	size_t n, size;
	size_t head;		    /* bytes of `out` for the table and its chains */
	bool failed;		    /* memory was out */
	bool table, chain;	    /* whether `out` has a table, and a chain in it */
	struct plain_count *counts; /* of each rule, in their order; owned */
	size_t n_counts, room_counts;
};

/* Writes the table in the socket's namespace, and the wanted table, as text. */
int plain_text_look(struct netlink *n, struct table_text *t, struct err *e);
void plain_text_want(const struct plain_table *want, struct table_text *t);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small table of ours beside the policy's: base chains and rules alone, no sets, in a family or a
 * namespace of its own. Its whole content is compared as text and changed in one transaction.
 * Supervisor only; works in the caller's namespace.
 */
#ifndef SEKISHO_KERNEL_PLAIN_TABLE_H
#define SEKISHO_KERNEL_PLAIN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/kernel/batch.h"

/* The wanted content. Without a chain there is to be no table. */
struct plain_table {
	uint8_t family;	  /* NFPROTO_* */
	const char *what; /* "the gate of the VLANs", for errors */
	const char *name; /* the rules name it, too */
	const struct base_chain *chains;
	size_t n_chains;
	/* in the order of their chains; NULL: no memory for that rule */
	struct nftnl_rule **rules;
	size_t n_rules;
};

/* Frees the rules of `t`, not the list of them. */
void plain_rules_free(struct plain_table *t);

/* "missing", "extra" or "changed"; `detail` names the table. */
typedef void plain_note(void *ctx, const char *what, const char *detail);
/*
 * Changes the table to `t` in one transaction. A table that is right already stays, with its
 * counters. If only rules differ, the chains stay, so packets that are allowed before and after are
 * allowed in between. `note` (or NULL) is called before a change; with `dry` nothing is changed. 0
 * or negative errno: -ENODEV when a device does not exist.
 */
int plain_table_set(const struct plain_table *t, bool dry, plain_note *note, void *ctx, struct err *e);

/* Called for an existing rule: its text as rule_text() gives it, without the counts; packets and
 * bytes, 0 if it has no counter. Valid during the call. */
typedef void plain_each(void *ctx, const char *chain, const char *text, uint64_t packets, uint64_t bytes);
/* Every rule of the table in that family. *ret_there: there is such a table. 0 or
 * negative errno. */
int plain_table_read(uint8_t family, plain_each *each, void *ctx, bool *ret_there, struct err *e);

/* Every table of the namespace except our own in that family, as "table ip nat". 0 or negative
 * errno. */
int plain_table_others(uint8_t family, void (*each)(void *ctx, const char *what), void *ctx, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small table of ours beside the policy's: it has only base chains and rules, no sets, and is in
 * another family or another namespace than the policy's. Its whole content is compared as text and
 * changed in one transaction. Supervisor only; works in the caller's namespace.
 */
#ifndef SEKISHO_KERNEL_PLAIN_TABLE_H
#define SEKISHO_KERNEL_PLAIN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/kernel/batch.h"

/* The wanted content. Without chains, the table is deleted. */
struct plain_table {
	uint8_t family;	  /* NFPROTO_* */
	const char *what; /* "the gate of the VLANs", for errors */
	const char *name; /* name of the table, the same as in the rules */
	const struct base_chain *chains;
	size_t n_chains;
	/* in the order of their chains; NULL: no memory for that rule */
	struct nftnl_rule **rules;
	size_t n_rules;
};

/* Frees the rules of `t`, not the list of them. */
void plain_rules_free(struct plain_table *t);

/* `what`: "missing", "extra" or "changed"; `detail` names the table. */
typedef void plain_note(void *ctx, const char *what, const char *detail);
/*
 * Changes the table to `t` in one transaction. A table that is right already is left alone, and its
 * counters go on. If only rules differ, the chains stay, so packets that are allowed before and
 * after the change are allowed during it. `note` (or NULL) is called before a change; with `dry`
 * nothing is changed. 0 or negative errno: -ENODEV when a device does not exist.
 */
int plain_table_set(const struct plain_table *t, bool dry, plain_note *note, void *ctx, struct err *e);

/* Called for each rule. `text` is what rule_text() gives, without the counts; `packets` and `bytes`
 * are 0 if the rule has no counter. The texts are valid during the call. */
typedef void plain_each(void *ctx, const char *chain, const char *text, uint64_t packets, uint64_t bytes);
/* Reads every rule of our table in that family. *ret_there: there is such a table. 0 or negative
 * errno. */
int plain_table_read(uint8_t family, plain_each *each, void *ctx, bool *ret_there, struct err *e);

/* Calls `each` for every table of the namespace, such as "table ip nat", except for ours in that
 * family. 0 or negative errno. */
int plain_table_others(uint8_t family, void (*each)(void *ctx, const char *what), void *ctx, struct err *e);

#endif

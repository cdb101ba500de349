/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One nf_tables transaction: messages are collected, sent at once, and take effect together or not
 * at all. A batch remembers which message came from which policy line, so that a refusal by the
 * kernel names the line. All its messages are about one table. Runs in enforce and, for the small
 * tables (kernel/small_tables.h), in the supervisor; by libnftnl and libmnl.
 */
#ifndef SEKISHO_KERNEL_BATCH_H
#define SEKISHO_KERNEL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/kernel/image.h"
#include "appliance/kernel/rule.h"
#include "appliance/kernel/talk.h"

struct note {
	uint32_t line;
	uint16_t type;	 /* NFT_MSG_* */
	uint16_t object; /* set or chain */
};

struct batch {
	uint8_t family;
	const char *table; /* borrowed */
	uint8_t *p;
	size_t len, size;
	struct note *notes; /* by sequence number, from 0 */
	uint32_t n, room;
	bool failed; /* memory was out */
};

/*
 * Begins a batch for the table `inet sekisho`. `generation_id` is the kernel's transaction count in
 * the dump from which this batch was computed: if the rules have changed since, the kernel refuses
 * the batch with -ERESTART. 0 = no such check. NULL when memory is out. If memory is out for a
 * later message, batch_commit fails, so no other result has to be checked.
 */
struct batch *batch_new(uint32_t generation_id);
/* The same for another table. */
struct batch *batch_of(uint8_t family, const char *table, uint32_t generation_id);
void batch_free(struct batch *b); /* accepts NULL */
size_t batch_aligned(size_t len);

/* Creates the table, or uses the existing one. `owned`: the sending socket becomes its owner. */
void batch_table(struct batch *b, bool owned);
void batch_table_delete(struct batch *b);
void batch_chain(struct batch *b, uint32_t chain); /* base chains with hook and policy drop */
struct base_chain {
	const char *name, *device; /* borrowed; device NULL = the chain is not bound to a device */
	uint32_t hook;
	int32_t priority;
	bool accepts; /* true: policy accept; false: policy drop */
};
void batch_base_chain(struct batch *b, const struct base_chain *c);
void batch_chain_delete(struct batch *b, const char *name);
void batch_counter(struct batch *b, uint32_t reason);
void batch_set(struct batch *b, unsigned set);
void batch_set_delete(struct batch *b, const char *name);
void batch_flush_rules(struct batch *b); /* deletes the rules of every chain; the chains stay */
void batch_rule(struct batch *b, struct nftnl_rule *rule,
		uint32_t line); /* takes over nothing; the rule stays the caller's */
/* `now_ms` since 1970: an element with an end gets the remaining time as its timeout. */
void batch_element_add(struct batch *b, unsigned set, const struct image_element *el, uint64_t now_ms);
void batch_element_delete(struct batch *b, unsigned set, const struct image_element *el);
void batch_set_flush(struct batch *b, unsigned set); /* deletes all elements of the set */
size_t batch_messages(const struct batch *b);

/*
 * Sends and commits. 0; -ERESTART when another program has changed the rules meanwhile, -ENOENT or
 * -EEXIST when an element ended meanwhile: dump again and repeat. Otherwise a refusal: nothing has
 * changed, *e says what was refused and *ret_line the policy line (0 = none).
 */
int batch_commit(struct batch *b, struct netlink *n, struct err *e, uint32_t *ret_line);
/* As batch_commit, but without the end of the transaction: the kernel checks everything, then
 * undoes it. */
int batch_try(struct batch *b, struct netlink *n, struct err *e, uint32_t *ret_line);

/* What the kernel lacks, found by transactions that are never committed: bits of
 * enum kernel_lack. */
unsigned batch_probe(struct netlink *n);
/* found in the same way: whether a table can have an owner and outlive it */
bool batch_owns(struct netlink *n);

#endif

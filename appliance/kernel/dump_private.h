/* SPDX-License-Identifier: Apache-2.0 */
/* What kernel/dump.c (tables, chains, rules) and kernel/dump_sets.c share; nobody else includes it. */
#ifndef SEKISHO_KERNEL_DUMP_PRIVATE_H
#define SEKISHO_KERNEL_DUMP_PRIVATE_H

#include "appliance/kernel/dump.h"

struct nlmsghdr;

struct dump {
	struct image *image;
	uint64_t now_ms;		 /* since 1970 */
	unsigned set;			 /* whose elements come */
	bool failed;			 /* memory was out */
	struct netlink_reading *reading; /* borrowed */
};

const char *dump_family(uint32_t family); /* "inet" of NFPROTO_INET */
bool dump_ours(uint32_t family, const char *table);
uint32_t dump_chain(const char *name); /* enum ir_chain, or CHAIN_COUNT */
/* Notes something that is not ours; `name` NULL when `table` is all there is to say. */
void dump_foreign(struct dump *d, enum foreign_kind kind, const char *what, uint32_t family, const char *table,
		  const char *name);

/* For netlink_ask; ctx is a struct dump. */
int dump_on_set(const struct nlmsghdr *m, void *ctx);
int dump_on_elements(const struct nlmsghdr *m, void *ctx);
int dump_on_object(const struct nlmsghdr *m, void *ctx);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The transactions that make the table equal to an image. */
#ifndef SEKISHO_ENFORCE_SYNC_H
#define SEKISHO_ENFORCE_SYNC_H

#include <stdbool.h>

struct err;
struct expectation;
struct image;
struct netlink;
struct sync_report;

/*
 * Makes the table, which was dumped as `have`, equal to `want`, which has the rule texts of `x`.
 * Uses want's arena as scratch memory. 0; -ERESTART, -ENOENT, -EEXIST if the kernel's table changed
 * meanwhile (dump again and repeat); otherwise a refusal that changed nothing. `try`: the kernel
 * checks everything and changes nothing.
 */
int table_sync(struct netlink *n, const struct image *have, const struct image *want, const struct expectation *x,
	       unsigned lacks, bool try, struct sync_report *ret, struct err *e);

#endif

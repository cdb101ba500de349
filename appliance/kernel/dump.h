/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-back: what the kernel's rule store holds in this namespace, decoded into an image. Never
 * prints or assumes what was loaded; every expression, element, policy and counter comes from a
 * dump, taken within one state of the kernel (its transaction count is the same before and after).
 * Runs in enforce; by libnftnl and libmnl.
 */
#ifndef SEKISHO_KERNEL_DUMP_H
#define SEKISHO_KERNEL_DUMP_H

#include "appliance/base/arena.h"
#include "appliance/base/err.h"
#include "appliance/kernel/image.h"
#include "appliance/kernel/talk.h"

#define DUMP_BUDGET (256u << 20) /* bytes of an arena that holds a dump */

/* The whole table, sorted, and what is foreign in the namespace. Strings and lists live in the
 * arena. 0 or negative errno. */
int netlink_dump(struct netlink *n, struct arena *a, struct image *ret, struct err *e);
/*
 * As netlink_dump. If the kernel had no transaction since the image `labels` was read (NULL = there
 * is none), its labels are used again, so `labels` must outlive *ret. Only a transaction can change
 * a label without an end, and labels are most of what there is to read.
 */
int netlink_dump_since(struct netlink *n, struct arena *a, const struct image *labels, struct image *ret,
		       struct err *e);
/* Only the table and its chains: quick, for the question whether the deny base stands. */
int netlink_dump_base(struct netlink *n, struct arena *a, struct image *ret, struct err *e);
/* Tables, chains, sets, counters and the generation that the table names, without rules and
 * elements: equally fast for any size of the policy. */
int netlink_dump_standing(struct netlink *n, struct arena *a, struct image *ret, struct err *e);
/* The counters alone, by one request. */
int netlink_dump_counters(struct netlink *n, struct arena *a, struct image *ret, struct err *e);
/* The elements of limited sessions: `data` is the whole timeout in seconds, `until` its end. */
int netlink_dump_limits(struct netlink *n, struct arena *a, struct image *ret, struct err *e);

/*
 * Whether the kernel's table has elements that end by time: *ret is true if the caller's namespace
 * has a table with the digest of a generation, and with cells or labels that end. The table does
 * not survive a restart of the machine, so such an element was made by a daemon since the last
 * start. For the supervisor, before enforce runs. Uses a socket of its own. 0 or negative errno.
 */
int ends_stand_here(bool *ret, struct err *e);

/* "inet" of NFPROTO_INET. */
const char *dump_family(uint32_t family);

#endif

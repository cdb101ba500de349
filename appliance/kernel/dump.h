/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-back: what the kernel's rule store holds in this namespace, decoded into an image. Nothing
 * in it is assumed from what was loaded: every expression, element, policy and counter comes from a
 * dump. The dump shows one state of the kernel, because the kernel's transaction count is the same
 * before and after it. Runs in enforce; by libnftnl and libmnl.
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
 * As netlink_dump. If there was no transaction since the image `labels` was read, the labels in it
 * are used again instead of being read, so `labels` must outlive *ret. NULL = there is no such
 * image. This saves most of the reading; only a transaction can change a label that has no end.
 */
int netlink_dump_since(struct netlink *n, struct arena *a, const struct image *labels, struct image *ret,
		       struct err *e);
/* Reads only the table and its chains. This is quick, and is enough to see whether the deny base is
 * there. */
int netlink_dump_base(struct netlink *n, struct arena *a, struct image *ret, struct err *e);
/* Reads tables, chains, sets, counters and the generation that the table names, but no rules and no
 * other elements. So it is equally fast for any size of the policy. */
int netlink_dump_standing(struct netlink *n, struct arena *a, struct image *ret, struct err *e);
/* Reads only the counters, by one request. */
int netlink_dump_counters(struct netlink *n, struct arena *a, struct image *ret, struct err *e);
/* Reads the elements of sessions with limits. In each, `data` is the whole timeout in seconds and
 * `until` the time when it ends. */
int netlink_dump_limits(struct netlink *n, struct arena *a, struct image *ret, struct err *e);

/*
 * Whether the kernel's table has elements that end by time: *ret is true if there is a table with
 * the digest of a generation, and with cells or labels that end. The table does not survive a
 * restart of the machine, so such an element was made by a daemon since the last start. 0 or
 * negative errno.
 */
int ends_stand(struct netlink *n, bool *ret, struct err *e);

#endif

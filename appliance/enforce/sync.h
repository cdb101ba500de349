/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the kernel's table equal to an expected image, in one transaction that only touches
 * differences: base chains that are right are never deleted (all packets in queues would be lost),
 * unchanged elements are not mentioned, and rules are written again only if one differs. Runs in
 * enforce.
 *
 * The kernel applies a transaction in two steps: rules and hashes at once, but interval maps only
 * at its end (and before Linux 6.17 it removes their old elements in the first step). A new session
 * between the two steps would find neither its old cell nor its new one, and a session that lost
 * its label would be cut although it is allowed. So where cells are replaced, there are three
 * transactions. The first one puts the new cells into separate maps, the bridges, which no rule
 * uses yet. The second one makes the change and sets a switch (a hash), by which the bridges are
 * looked up before the maps that they replace. The third one empties the bridges. Before the second
 * transaction nothing passes by the new cells, and after it nothing that they allow is lost.
 */
#ifndef SEKISHO_ENFORCE_SYNC_H
#define SEKISHO_ENFORCE_SYNC_H

#include "appliance/base/err.h"
#include "appliance/kernel/image.h"
#include "appliance/kernel/rule.h"
#include "appliance/kernel/talk.h"

struct sync_report {
	bool rules;   /* rules were refilled */
	bool rebuilt; /* the table had to be deleted and made again */
	size_t added, gone, messages;
	uint32_t line; /* policy line of a refusal, 0 = none */
};

/*
 * `have` as dumped, `want` with the rule texts of `x`. Scratch memory from want's arena. 0;
 * -ERESTART, -ENOENT, -EEXIST if the kernel's table changed meanwhile (dump again and repeat);
 * otherwise a refusal that changed nothing. `try`: the kernel checks everything and changes
 * nothing.
 */
int table_sync(struct netlink *n, const struct image *have, const struct image *want, const struct expectation *x,
	       unsigned lacks, bool try, struct sync_report *ret, struct err *e);

#endif

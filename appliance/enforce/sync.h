/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the kernel's table equal to an expected image, in one transaction that touches only what
 * differs: base chains are never deleted while they are right (every packet waiting in a queue
 * would be lost), unchanged elements are not mentioned, rules are refilled only when one differs.
 * Runs in enforce.
 *
 * The kernel applies a transaction in two steps: rules and hashes at once, interval maps only when
 * it has gone through all of it (and until Linux 6.17 it removes their old elements in the first
 * step). A new session between the two would find neither its old cell nor its new one, and one
 * that lost its label would be cut though it is allowed. So where cells go and others come, a first
 * transaction puts the new ones into maps of their own, the bridges, which no rule asks. The second
 * makes the change and sets a switch (a hash), after which the bridges are asked before the maps
 * that they replace; a third one empties them again. Nothing passes by the new cells before the
 * first stroke, and nothing that they allow is lost after it.
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
	uint32_t line; /* after a refusal: the policy line, 0 = none */
};

/*
 * `have` as dumped, `want` with the rule texts of `x`. Scratch memory from want's arena. 0;
 * -ERESTART, -ENOENT, -EEXIST when the kernel moved meanwhile (dump again and repeat); otherwise a
 * refusal that changed nothing. `try`: the kernel checks everything and changes nothing.
 */
int table_sync(struct netlink *n, const struct image *have, const struct image *want, const struct expectation *x,
	       unsigned lacks, bool try, struct sync_report *ret, struct err *e);

#endif

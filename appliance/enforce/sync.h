/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the kernel's table equal to an expected image, in one transaction that touches only what differs: base chains
 * are never deleted while they are right (every packet waiting in a queue would be lost), unchanged elements are not
 * mentioned, rules are refilled only when one differs. Runs in enforce.
 *
 * The kernel changes over to a transaction in two strokes: hashes and rules at once, interval maps only when all of its
 * elements have been gone through. A session that lost its label at the first stroke would find neither its old cell nor its
 * new one before the second, and be cut though it is allowed. So where sessions lose their labels and interval maps change,
 * the cells go first, in a transaction of their own; until the one that follows, live sessions go on as they were.
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
	bool partly;  /* only the cells so far: dump again, and the rest follows */
	size_t added, gone, messages;
	uint32_t line; /* after a refusal: the policy line, 0 = none */
};

/*
 * `have` as dumped, `want` with the rule texts of `x`. Scratch memory from want's arena. 0; -ERESTART, -ENOENT, -EEXIST
 * when the kernel moved meanwhile (dump again and repeat); otherwise a refusal that changed nothing. `try`: the kernel
 * checks everything and changes nothing. `cells_first`: see above; where that is not needed, all is done at once.
 */
int table_sync(struct netlink *n, const struct image *have, const struct image *want, const struct expectation *x,
	       unsigned lacks, bool try, bool cells_first, struct sync_report *ret, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Safeguards that do not depend on other processes: no forwarding over cards that are in the first
 * namespace, and no forwarding after the rules were changed from outside. */
#ifndef SEKISHO_SUPERVISE_GUARD_H
#define SEKISHO_SUPERVISE_GUARD_H

#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/box/box.h"
#include "appliance/box/sysctl.h"
#include "appliance/wire/msg.h"

/* Rules for cards of the box while they are in the machine's namespace (kernel/home_rules.h). */

/*
 * Sets these rules in the caller's namespace, the first one of the machine. They cover the cards
 * that `kept` (store/kept.h) lists as the box's, and the cards of `ir` that are not in the box.
 * `ir` and `spaces` may both be NULL. 0 or negative errno.
 */
int home_guard(const json_t *kept, const struct ir *ir, const struct box_spaces *spaces, struct err *e);

/*
 * enforce turns forwarding off when it learns that the rules were changed from outside. The
 * supervisor gets the same notice. If enforce does not answer shortly, because it is stopped, has
 * no core or is dead, the supervisor turns forwarding off itself. Only enforce turns it on again,
 * when the rules are right.
 */

struct supervisor;

struct backstop {
	int monitor; /* owned; -1 = not open yet */
	struct forwarding forwarding;
	/* monotonic ns: when our table was changed, while enforce has not answered; 0 = no answer
	 * is due */
	uint64_t heard_ns;
};

/* To be called before an enforce begins; `requests` is its socket for requests to the kernel. 0 or
 * negative errno. */
int backstop_follow(struct supervisor *s, int requests, struct err *e);
/* Reads notices of the kernel. To be called before messages of enforce are read, because those are
 * sent later. */
void backstop_heard(struct supervisor *s);
void backstop_answered(struct supervisor *s, const struct msg_drift *d);
void backstop_due(struct supervisor *s, uint64_t now);
uint64_t backstop_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */

#endif

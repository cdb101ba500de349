/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps shut whatever else is the matter: cards that are at home, and forwarding once somebody touched the rules. */
#ifndef SEKISHO_SUPERVISE_GUARD_H
#define SEKISHO_SUPERVISE_GUARD_H

#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/box/box.h"
#include "appliance/box/sysctl.h"
#include "appliance/wire/msg.h"

/* Cards of the box while the machine has them: what it may not do with them (kernel/home_rules.h). */

/*
 * For the caller's namespace, the machine's first: the cards that `kept` (store/kept.h) has as the box's, and those of `ir` that are not in
 * the box. `ir` and `spaces` may be NULL, both. 0 or negative errno.
 */
int home_guard(const json_t *kept, const struct ir *ir, const struct box_spaces *spaces, struct err *e);

/*
 * Behind enforce, which turns forwarding off at the first word that somebody touched the rules, stands the supervisor: it
 * hears the same, and where enforce has not answered in a moment, because it is stopped, starved or dead, it turns
 * forwarding off itself. On again enforce alone turns it, when the rules stand.
 */

struct supervisor;

struct backstop {
	int monitor; /* owned; -1 = not open yet */
	struct forwarding forwarding;
	uint64_t heard_ns; /* monotonic: our table was touched, and enforce has not answered that; 0 = nothing waits */
};

/* An enforce is about to begin, with this socket for what it asks of the kernel. 0 or negative errno. */
int backstop_follow(struct supervisor *s, int requests, struct err *e);
/* Reads what the kernel told; before what enforce says, which is said later. */
void backstop_heard(struct supervisor *s);
void backstop_answered(struct supervisor *s, const struct msg_drift *d);
void backstop_due(struct supervisor *s, uint64_t now);
uint64_t backstop_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */

#endif

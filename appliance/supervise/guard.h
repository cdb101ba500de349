/* SPDX-License-Identifier: Apache-2.0 */
/* Safeguards that do not depend on other processes: no forwarding over cards that are in the first
 * namespace, and no forwarding after the rules were changed from outside. */
#ifndef SEKISHO_SUPERVISE_GUARD_H
#define SEKISHO_SUPERVISE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/box/sysctl.h"

struct box_spaces;
struct err;
struct ground;
struct ir;
struct msg_drift;
struct supervisor;

/* Rules for cards of the box while they are in the machine's namespace (kernel/small_tables.h). */

/*
 * Sets these rules in the caller's namespace, the first one of the machine. They cover the cards
 * that `kept` (store/kept.h) lists as the box's, and the cards of `ir` that are not in the box.
 * `ir` and `spaces` may both be NULL. 0 or negative errno.
 */
int home_guard(const json_t *kept, const struct ir *ir, const struct box_spaces *spaces, struct err *e);

/*
 * supervise/guard.c. 0: the namespaces are this process's, and the deny base is loaded. Two
 * failures have an error number of their own, for which the caller has the words: -EBUSY, another
 * process holds the namespaces; -ENOTUNIQ, two of the three namespaces are the same. `daemon`: this
 * process owns the rules.
 */
int guard_take(struct supervisor *s, bool daemon, bool *adopted, struct err *e);
/* *adopted: rules of an earlier daemon were in the kernel. No interface is
 * touched before this has succeeded. */
int guard_enter(struct supervisor *s, bool *adopted, struct err *e);

/*
 * enforce turns forwarding off when it learns that the rules were changed from outside. The
 * supervisor gets the same notice. If enforce does not answer shortly, because it is stopped, has
 * no core or is dead, the supervisor turns forwarding off itself. Only enforce turns it on again,
 * when the rules are right.
 */

struct backstop {
	int monitor; /* owned; -1 = not open yet */
	struct forwarding forwarding;
	/* monotonic ns: when our table was changed, while enforce has not answered; 0 = no answer
	 * is due */
	uint64_t heard_ns;
};

/* To be called before an enforce begins; `requests` is its socket for requests to the kernel. 0 or
 * negative errno. */
int backstop_follow(struct ground *ground, int requests, struct err *e);
/* Reads notices of the kernel. To be called before messages of enforce are read, because enforce
 * answers a notice that came before. */
void backstop_heard(struct ground *ground);
void backstop_answered(struct ground *ground, const struct msg_drift *d);
uint64_t backstop_due(struct supervisor *s, uint64_t now);

#endif

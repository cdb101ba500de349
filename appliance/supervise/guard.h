/* SPDX-License-Identifier: Apache-2.0 */
/* Safeguards that do not depend on other processes: no forwarding over cards that are in the first
 * namespace, and no forwarding after the rules were changed from outside. */
#ifndef SEKISHO_SUPERVISE_GUARD_H
#define SEKISHO_SUPERVISE_GUARD_H

#include <stdbool.h>

#include "appliance/base/json.h"

struct box_spaces;
struct err;
struct ir;
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

#endif

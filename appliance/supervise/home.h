/* SPDX-License-Identifier: Apache-2.0 */
/* Cards of the box while the machine has them: what it may not do with them (kernel/home_rules.h). */
#ifndef SEKISHO_SUPERVISE_HOME_H
#define SEKISHO_SUPERVISE_HOME_H

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/box/box.h"

/*
 * For the caller's namespace, the machine's first: the cards that `kept` (store/kept.h) has as the box's, and those of `ir` that are not in
 * the box. `ir` and `spaces` may be NULL, both. 0 or negative errno.
 */
int home_guard(const json_t *kept, const struct ir *ir, const struct box_spaces *spaces, struct err *e);

#endif

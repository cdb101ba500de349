/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the machine from forwarding over cards of the box while they are in its first namespace:
 * before they are taken, at each start of the machine, and while they go back. Two tables in that
 * namespace ("inet sekisho", "bridge sekisho"), with one chain each, drop and count packets that
 * would be routed or bridged from or to such a card. They accept all others, for other rules to
 * judge. Traffic of the machine itself over such a card is not touched: an administrator may be
 * connected by it. Supervisor only.
 */
#ifndef SEKISHO_KERNEL_HOME_RULES_H
#define SEKISHO_KERNEL_HOME_RULES_H

#include <stddef.h>

#include "appliance/base/err.h"

/*
 * Makes both tables in the caller's namespace for these cards, which need not exist; with n = 0
 * there are no such tables afterwards. Tries both; 0 or negative errno.
 */
int home_rules_set(const char *const *cards, size_t n, struct err *e);

#endif

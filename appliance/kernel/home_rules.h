/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine itself may not do with cards of the box that lie in its first namespace: before they are taken, at each start of the
 * machine, and while they go back. Two tables of ours there ("inet sekisho", "bridge sekisho"), each with one chain, drop and count what
 * would be routed or bridged from such a card or to one, and let everything else by, for the rules of others to judge. What the machine
 * sends and receives itself over such a card is not touched: it may be somebody's way in. Supervisor only.
 */
#ifndef SEKISHO_KERNEL_HOME_RULES_H
#define SEKISHO_KERNEL_HOME_RULES_H

#include <stddef.h>

#include "appliance/base/err.h"

/*
 * Makes the tables of the caller's namespace speak of these cards, which need not be there; with n = 0 there are none afterwards.
 * 0 or negative errno, after both were tried.
 */
int home_rules_set(const char *const *cards, size_t n, struct err *e);

#endif

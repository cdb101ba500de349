/* SPDX-License-Identifier: Apache-2.0 */
/* What ruleset.c (chains, rules, sets) and ruleset_expr.c (their expressions) share; nobody else includes it. */
#ifndef SEKISHO_KERNEL_RULESET_PRIVATE_H
#define SEKISHO_KERNEL_RULESET_PRIVATE_H

#include "appliance/kernel/ruleset.h"

struct nftnl_expr;

/* A copy in the arena; "" when there is none, or no room, which fails the whole ruleset. */
const char *ruleset_keep(struct ruleset *r, const char *text);
/* One expression, added to a rule: `ctx` are two pointers, struct ruleset and struct rule_read. */
int ruleset_take_expression(struct nftnl_expr *x, void *ctx);

#endif

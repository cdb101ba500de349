/* SPDX-License-Identifier: Apache-2.0 */
/* The single rules of the admin namespace (kernel/admin_rules.h puts them together). Each is the caller's; NULL when memory is out. */
#ifndef SEKISHO_KERNEL_ADMIN_RULE_H
#define SEKISHO_KERNEL_ADMIN_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/ir/ir.h"

struct nftnl_rule;

enum way { WAY_OUT, WAY_IN, WAYS };

struct nftnl_rule *admin_rule_inside(enum way way);
struct nftnl_rule *admin_rule_neighbours(enum way way, uint8_t type, uint8_t hops);
struct nftnl_rule *admin_rule_answers(enum way way);
struct nftnl_rule *admin_rule_answers_to(const struct addr *to); /* that host alone */
struct nftnl_rule *admin_rule_errors(uint8_t family);		 /* 4 or 6; on the way in */
/* By address, protocol and destination port; counted. */
struct nftnl_rule *admin_rule_peer(enum way way, const struct ir_peer *p);
struct nftnl_rule *admin_rule_echo(const struct addr *from);
/* All else; counted. */
struct nftnl_rule *admin_rule_rest(enum way way, bool accept);

#endif

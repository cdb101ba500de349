/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the names of hosts in a policy: assets and groups that consist of exactly these hosts. */
#ifndef SEKISHO_MGMT_CLI_LEARN_NAMED_H
#define SEKISHO_MGMT_CLI_LEARN_NAMED_H

#include "policy/check/model.h"
#include "policy/read/ast.h"

/* The first asset in this zone whose only address is `host`, including members of fleets; NULL:
 * there is none. */
const char *named_host(const struct model *m, const char *zone, const struct addr *host);
/* The first of `groups` (NULL: no groups) that has exactly these `n` assets, which must be
 * distinct; NULL: there is none. */
const char *named_group(const struct model *m, const struct ast_node *groups, const char *const *assets, size_t n);

#endif

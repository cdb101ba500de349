/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts are called in a policy: by the assets and groups that mean them and nobody else. */
#ifndef SEKISHO_MGMT_CLI_LEARN_NAMED_H
#define SEKISHO_MGMT_CLI_LEARN_NAMED_H

#include "policy/check/model.h"
#include "policy/read/ast.h"

/* The first asset of that zone that is this one address, a fleet's member as well; NULL: there
 * is none. */
const char *named_host(const struct model *m, const char *zone, const struct addr *host);
/* The first of `groups` (NULL: there are none) of exactly these `n` assets, of which none is there
 * twice; NULL: there is none. */
const char *named_group(const struct model *m, const struct ast_node *groups, const char *const *assets, size_t n);

#endif

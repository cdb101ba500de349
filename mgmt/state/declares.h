/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the servers that a conduit declares for its TLS are looked at where it holds
 * (docs/json.md, effective). Pure. */
#ifndef SEKISHO_MGMT_STATE_DECLARES_H
#define SEKISHO_MGMT_STATE_DECLARES_H

#include "mgmt/state/read.h"

/* False, too, where nothing of the permit is inspected, and where another conduit lets TLS by
 * whoever its server is. */
bool declares_servers(const json_t *permit, const json_t *grant);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the servers that a conduit declares for TLS are checked at this place (docs/json.md,
 * effective). Pure. */
#ifndef SEKISHO_MGMT_STATE_DECLARES_H
#define SEKISHO_MGMT_STATE_DECLARES_H

#include "mgmt/state/read.h"

/* Also false if nothing of the permit is inspected, or if another conduit of the permit allows TLS
 * to any server. */
bool declares_servers(const json_t *permit, const json_t *grant);

#endif

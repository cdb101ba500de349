/* SPDX-License-Identifier: Apache-2.0 */
/* What of the policy in force those hear who have no table. */
#ifndef SEKISHO_SUPERVISE_IN_FORCE_H
#define SEKISHO_SUPERVISE_IN_FORCE_H

#include <stdbool.h>

#include "appliance/base/json.h"

/*
 * Whether sessions that conduits let through are recorded: what the policy in force says, on trial as well, and what the kernel says of the socket that hears
 * of them (appliance/tap/session.h).
 */

struct supervisor;

/* As the policy in force says, from now on. */
void passed_follow(struct supervisor *s);
/* As the kernel says: true, false, or null when it does not say. */
json_t *passed_json(const struct supervisor *s);
/* The kernel says otherwise than the policy. */
bool passed_differs(const struct supervisor *s);

#endif

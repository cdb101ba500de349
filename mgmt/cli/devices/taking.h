/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces that an apply or rollback takes out of the first namespace, and the sessions that end by it. */
#ifndef SEKISHO_MGMT_CLI_DEVICES_TAKING_H
#define SEKISHO_MGMT_CLI_DEVICES_TAKING_H

#include "mgmt/cli/cli.h"

/*
 * The values of option number `option`, for the box: a descriptor owned by the caller, -1 = there are none. False after saying why it
 * cannot be.
 */
bool taking_fd(struct cli *c, const struct cli_args *a, size_t option, int *ret_fd, int *ret_status);
/* Marks the session in which this program was typed, in the box's answer; then, unless --json is wanted, prints all. */
void taking_tell(struct cli *c, const json_t *answer);

#endif

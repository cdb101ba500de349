/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces that an apply or rollback moves out of the first namespace, and the sessions that end
 * because of this. */
#ifndef SEKISHO_MGMT_CLI_DEVICES_TAKING_H
#define SEKISHO_MGMT_CLI_DEVICES_TAKING_H

#include "mgmt/cli/cli.h"

/*
 * Writes the values of option number `option` to a descriptor for the box, owned by the caller; -1
 * = there are none. False: the error was printed.
 */
bool taking_fd(struct cli *c, const struct cli_args *a, size_t option, int *ret_fd, int *ret_status);
/* Looks in the box's answer for the session of the person who typed the command, and marks it there
 * as "yours". Then prints all sessions, unless --json is given. */
void taking_tell(struct cli *c, const json_t *answer);

#endif

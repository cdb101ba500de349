/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEKISHO_MGMT_CLI_DEVICES_DEVICES_H
#define SEKISHO_MGMT_CLI_DEVICES_DEVICES_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "mgmt/cli/cli.h"

/* What this machine has for a box: network cards, processors, kernel features. Read from /sys,
 * /proc and /lib/modules, without root rights. */

/*
 * The facts as docs/json.md describes under `hardware`. `root` is put before every path; "" for the
 * machine itself. `tried` tells whether Sekisho was run with this hardware (docs/runs.md). What
 * cannot be read is null. Owned by the caller; NULL when memory is out.
 */
json_t *hardware_read(const char *root);

/* Finds the SSH session in which this program was started, if any. Works behind sudo and su as
 * well, which remove SSH_CONNECTION from the environment. */

#define OWN_SESSION_END 80u

/* Both ends in the form that the box uses: "192.0.2.7:50412", "[2001:db8::7]:50412". */
struct own_session {
	char peer[OWN_SESSION_END], local[OWN_SESSION_END];
};

bool own_session(struct own_session *ret);
/* Reads the text of SSH_CONNECTION: "client port server port". */
bool own_session_read(const char *text, struct own_session *ret);

/* Interfaces that an apply or rollback moves out of the first namespace, and the sessions that end
 * because of this. */

/*
 * Writes the values of option number `option` to a descriptor for the box, owned by the caller; -1
 * = there are none. False: the error was printed.
 */
bool taking_fd(struct cli *c, const struct cli_args *a, size_t option, int *ret_fd, int *ret_status);
/* Looks in the box's answer for the session of the person who typed the command, and marks it there
 * as "yours". Then prints all sessions, unless --json is given. */
void taking_tell(struct cli *c, const json_t *answer);

#endif

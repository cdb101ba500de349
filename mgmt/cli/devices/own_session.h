/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the SSH session in which this program was started, if any. Works behind sudo and su as
 * well, which remove SSH_CONNECTION from the environment. */
#ifndef SEKISHO_MGMT_CLI_DEVICES_OWN_SESSION_H
#define SEKISHO_MGMT_CLI_DEVICES_OWN_SESSION_H

#include <stdbool.h>

#define OWN_SESSION_END 80u

/* Both ends in the form that the box uses: "192.0.2.7:50412", "[2001:db8::7]:50412". */
struct own_session {
	char peer[OWN_SESSION_END], local[OWN_SESSION_END];
};

bool own_session(struct own_session *ret);
/* Reads the text of SSH_CONNECTION: "client port server port". */
bool own_session_read(const char *text, struct own_session *ret);

#endif

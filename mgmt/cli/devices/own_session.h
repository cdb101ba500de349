/* SPDX-License-Identifier: Apache-2.0 */
/* The SSH session in which this program was typed, if there is one: also behind sudo or su, which
 * forget it. */
#ifndef SEKISHO_MGMT_CLI_DEVICES_OWN_SESSION_H
#define SEKISHO_MGMT_CLI_DEVICES_OWN_SESSION_H

#include <stdbool.h>

#define OWN_SESSION_END 80u

/* Both ends as the box writes them: "192.0.2.7:50412", "[2001:db8::7]:50412". */
struct own_session {
	char peer[OWN_SESSION_END], local[OWN_SESSION_END];
};

bool own_session(struct own_session *ret);
/* From the text of SSH_CONNECTION: "client port server port". */
bool own_session_read(const char *text, struct own_session *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Which control socket to ask. */
#ifndef SEKISHO_MGMT_CLI_SOCKET_H
#define SEKISHO_MGMT_CLI_SOCKET_H

#define SOCKET_DEFAULT "/run/sekisho/control.sock"

/*
 * `wish` (--socket), else SEKISHO_SOCKET, else what SEKISHO_SOCKET was before sudo took it away, else the default. Valid as
 * long as the program.
 */
const char *socket_choose(const char *wish);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Which control socket to ask. */
#ifndef SEKISHO_MGMT_CLI_SOCKET_H
#define SEKISHO_MGMT_CLI_SOCKET_H

#define SOCKET_DEFAULT "/run/sekisho/control.sock"

/*
 * `wish` (--socket), else SEKISHO_SOCKET, else what SEKISHO_SOCKET was before sudo took it away,
 * else the default. Valid as long as the program.
 */
const char *socket_choose(const char *wish);

/* What another process was started with; only root sees another user's. */

/* The value behind `name`, which ends with "=". NULL: there is none, or it cannot be told. Valid
 * until the next call. */
const char *environ_of(long pid, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the control socket. */
#ifndef SEKISHO_MGMT_CLI_SOCKET_H
#define SEKISHO_MGMT_CLI_SOCKET_H

#define SOCKET_DEFAULT "/run/sekisho/control.sock"

/*
 * Returns `wish` (--socket), else SEKISHO_SOCKET, else the value that SEKISHO_SOCKET had before
 * sudo removed it, else the default. Valid until the program ends.
 */
const char *socket_choose(const char *wish);

/* Reads the environment with which another process was started; only root can read that of another
 * user's process. */

/* The value of `name`, which ends with "=". NULL: it is not set, or cannot be read. Valid until the
 * next call. */
const char *environ_of(long pid, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shuts the calling process in before it reads frames of strangers: no user, no capability and none to come, no file and no socket to be
 * opened, no memory that becomes executable. What it has open it keeps: the ring of an interface, to which it cannot send, and the two
 * descriptors to which it writes. The death of its parent ends it.
 */
#ifndef SEKISHO_MGMT_CLI_LEARN_SHUT_H
#define SEKISHO_MGMT_CLI_LEARN_SHUT_H

#include <stdbool.h>
#include <sys/types.h>

/* `parent`: who started it. False: the process must end. */
bool shut_in(pid_t parent);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* How a process of a role is started. */
#ifndef SEKISHO_SUPERVISE_SPAWN_H
#define SEKISHO_SUPERVISE_SPAWN_H

#include <stddef.h>

struct err;
struct partition;
struct slot;

/* spawn.c: starts a role's process. fds[0..n) become its descriptors from ROLE_FD_FIRST on; nsfd:
 * the network namespace that it enters, -1 = none. 0 or negative errno. */
int spawn(const struct partition *p, struct slot *sl, const int *fds, size_t n, int nsfd, struct err *e);

#endif

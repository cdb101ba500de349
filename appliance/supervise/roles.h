/* SPDX-License-Identifier: Apache-2.0 */
/* When the process of a role starts, and how it ended. */
#ifndef SEKISHO_SUPERVISE_ROLES_H
#define SEKISHO_SUPERVISE_ROLES_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct slot;
struct supervisor;

void roles_init(struct supervisor *s);
/* from now on the slot's process is to run */
void roles_want(struct supervisor *s, unsigned slot);
uint64_t roles_due(struct supervisor *s, uint64_t now); /* starts what is to be started */
/* Notes that the slot's process has ended, and when to start the next one; *ret_how says how it
 * ended. False: it has not ended. */
bool role_reap(struct supervisor *s, struct slot *sl, siginfo_t *ret_how);

#endif

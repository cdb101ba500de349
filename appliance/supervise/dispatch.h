/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of roles, and what follows from a role's death. */
#ifndef SEKISHO_SUPERVISE_DISPATCH_H
#define SEKISHO_SUPERVISE_DISPATCH_H

struct slot;
struct supervisor;

void role_exited(struct supervisor *s, struct slot *sl);
void role_readable(struct supervisor *s, struct slot *sl);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors that a role gets at its start. */
#ifndef SEKISHO_SUPERVISE_SOCKETS_H
#define SEKISHO_SUPERVISE_SOCKETS_H

#include <stdint.h>

struct err;
struct slot;
struct supervisor;

/* sockets.c: opens the descriptors that a role gets besides its channel. Returns their number, or
 * negative errno with nothing left open. */
#define ROLE_FDS 5
int role_descriptors(struct supervisor *s, const struct slot *sl, int fds[ROLE_FDS], int *nsfd, struct err *e);
/* A socket for slots of a lane in the data namespace; owned by the caller. */
int queue_socket(struct supervisor *s, uint32_t lane, uint8_t slots, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real role control, as one of the processes of a life. It runs on a stack of its own, inside
 * of the daemon's wait: when it waits itself, the other processes have their turns.
 */
#ifndef SEKISHO_TESTS_LIFE_CONTROL_H
#define SEKISHO_TESTS_LIFE_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keeps the numbers of its descriptors free of others. To be called before any other is opened. */
void control_places(void);
/* Begins it, with the descriptors that its role has; those given stay the caller's. */
bool control_begin(int chan, int events, const int *fds, size_t n);
/* Lets it go on if it has something to do; whether it had. */
bool control_turn(void);
/* Whether it has returned by itself. */
bool control_returned(void);
void control_end(void);
/* When it wants to go on at the latest; UINT64_MAX = never. */
uint64_t control_due(void);

/* ---- for its system calls -------------------------------------------------------------------- */

bool control_inside(void); /* it is the caller */
int control_poll(struct pollfd *p, nfds_t n, int ms);

#endif

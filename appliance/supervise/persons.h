/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People at the machine who give orders to the box. This process itself accepts their connections,
 * on a socket for root and one for logins, asks the kernel who each of them is, and reads the one
 * order on each. Control gets the connection afterwards, to answer on it (orders.c). Nothing that a
 * role hands in says who ordered, or what. Nothing here waits: a connection without an order is
 * closed after a few seconds.
 */
#ifndef SEKISHO_SUPERVISE_PERSONS_H
#define SEKISHO_SUPERVISE_PERSONS_H

#include <poll.h>
#include <stdint.h>

#include "appliance/base/err.h"

struct supervisor;

#define PERSONS_PLACES 8u /* connections of each socket whose order has not come yet */
/* The two sockets, and the places of each. */
#define PERSONS_POLL (2u + 2u * PERSONS_PLACES)

/* 0 or negative errno. */
int persons_open(struct supervisor *s, struct err *e);
/* Sets the descriptors to wait for. While control does not run nobody is accepted: people wait in
 * the queues of the sockets. */
void persons_poll(const struct supervisor *s, struct pollfd p[PERSONS_POLL]);
void persons_heard(struct supervisor *s, const struct pollfd p[PERSONS_POLL]);
uint64_t persons_due(struct supervisor *s, uint64_t now);

#endif

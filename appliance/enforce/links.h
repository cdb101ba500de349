/* SPDX-License-Identifier: Apache-2.0 */
/* The netlink sockets, and the kernel's index of each interface. */
#ifndef SEKISHO_ENFORCE_LINKS_H
#define SEKISHO_ENFORCE_LINKS_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct generation_held;
struct ir;

/*
 * Which kernel index each interface of the box has now, with notification of changes. Each cell's
 * key contains such indexes, so if an interface disappears and returns, its traffic is denied until
 * its elements are changed. Uses a NETLINK_ROUTE socket in the data namespace; never changes a
 * link.
 */
/* An owned non-blocking descriptor that becomes readable when a link comes, goes or is renamed;
 * negative errno. */
int links_open(struct err *e);
struct neighbour;
/* An owned descriptor for neighbours_read; negative errno. */
int neighbours_open(struct err *e);
/* Reads the kernel's table of neighbours into ret[most], without addresses that are valid on one
 * link only. Returns how many there are; negative errno: the table could not be read. */
int neighbours_read(int fd, struct neighbour *ret, size_t most);
/* Discards the notifications that wait. */
void links_drain(int fd);
/* Writes the kernel index of each interface to `interfaces` of the generation; 0 = not in this
 * namespace. True when one differs from the earlier value. */
bool links_resolve(int fd, struct generation_held *g);
/* Whether each interface of the generation has a link now, into ret[ir->n_interfaces]. */
void links_up(int fd, const struct ir *ir, bool *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kernel index each interface of the box has now, with notification of changes. Indexes are
 * part of every element's key, so an interface that disappears and returns is denied until its
 * elements are changed. Runs in enforce, on a NETLINK_ROUTE socket of its own in the data
 * namespace; never changes a link.
 */
#ifndef SEKISHO_ENFORCE_LINKS_H
#define SEKISHO_ENFORCE_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "policy/ir/ir.h"

/* An owned non-blocking descriptor that becomes readable when a link comes, goes or is renamed;
 * negative errno. */
int links_open(struct err *e);
/* Discards the notifications that wait. */
void links_drain(int fd);
/*
 * Writes the kernel index of each interface of the generation to ret[ir->n_interfaces]; 0 = not in
 * this namespace. True when one differs from the earlier value in ret.
 */
bool links_resolve(int fd, const struct ir *ir, uint32_t *ret);

/* Whether each interface of the generation has a link now, into ret[ir->n_interfaces]. */
void links_up(int fd, const struct ir *ir, bool *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of address ranges between which nothing passes because people isolated them: the content of
 * the sets SET_APART4 and SET_APART6. In the kernel's interval sets elements may not overlap, so
 * overlapping pairs are split. Exceptions that still pass are pairs with a permit (SET_KEPT4 and so
 * on). Pure.
 */
#ifndef SEKISHO_KERNEL_APART_H
#define SEKISHO_KERNEL_APART_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/addr.h"
#include "appliance/kernel/image.h"

#define APART_MOST 8192u /* pairs, after splitting */

struct apart_pair {
	/* source and destination of the session's first packet */
	struct addr_range source, destination;
	/* the permit that still passes; 0 for pairs of SET_APART4 and SET_APART6, and for sessions
	 * without a permit */
	uint32_t permit;
};

struct apart {
	struct apart_pair *list; /* owned; disjoint */
	size_t n, room;
};

/* False: no memory, more than APART_MOST, or ranges of two families; *x is then unusable. */
bool apart_add(struct apart *x, const struct apart_pair *p);
void apart_free(struct apart *x);
/* Whether both have the same pairs, added in the same order. */
bool apart_same(const struct apart *x, const struct apart *y);
bool apart_holds(const struct apart *x, const struct addr *source, const struct addr *destination, uint32_t permit);
/* Puts its elements into the image: IPv4 into `set`, IPv6 into the set after it. False when memory
 * is out. */
bool apart_image(const struct apart *x, unsigned set, struct image *i);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of addresses between which nothing passes because people isolated them: what stands in the sets SET_APART4 and SET_APART6. The kernel's
 * interval sets hold no two elements that a key could find, so what is added twice is taken apart. And, as pairs with a permit, what passes all
 * the same (SET_KEPT4 and so on). Pure; runs in enforce and in the supervisor.
 */
#ifndef SEKISHO_KERNEL_APART_H
#define SEKISHO_KERNEL_APART_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/addr.h"
#include "appliance/kernel/image.h"

#define APART_MOST 8192u /* pairs, once taken apart */

struct apart_pair {
	struct addr_range source, destination; /* of a session as it is opened */
	uint32_t permit;		       /* that is kept; 0 also: a session without one */
};

struct apart {
	struct apart_pair *list; /* owned; disjoint */
	size_t n, room;
};

/* False: no memory, more than APART_MOST, or ranges of two families; *x is then of no use. */
bool apart_add(struct apart *x, const struct apart_pair *p);
void apart_free(struct apart *x);
/* The same pairs, added in the same order. */
bool apart_same(const struct apart *x, const struct apart *y);
bool apart_holds(const struct apart *x, const struct addr *source, const struct addr *destination, uint32_t permit);
/* Its elements: of IPv4 in this set, of IPv6 in the one behind it. False when memory is out. */
bool apart_image(const struct apart *x, unsigned set, struct image *i);

#endif

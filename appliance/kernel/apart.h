/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of address ranges between which nothing passes because people isolated them: the content of
 * the sets SET_APART4 and SET_APART6. In the kernel's interval sets elements may not overlap, so
 * overlapping pairs are split. Exceptions that may still pass are kept in the same structure, each
 * pair with its permit (SET_KEPT4 and SET_KEPT6). Pure.
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
	/* exceptions: the permit whose sessions still pass, 0 = sessions without a permit; in
	 * SET_APART4 and SET_APART6 always 0 */
	uint32_t permit;
};

struct apart {
	struct apart_pair *list; /* owned; disjoint */
	size_t n, room;
};

/* False: no memory, more than APART_MOST, or ranges of two families; *x is then unusable. */
bool apart_add(struct apart *x, const struct apart_pair *p);
void apart_free(struct apart *x);
/* Whether `x` and `y` have the same pairs, added in the same order. */
bool apart_same(const struct apart *x, const struct apart *y);
bool apart_holds(const struct apart *x, const struct addr *source, const struct addr *destination, uint32_t permit);
/* Puts the pairs into the image as elements: IPv4 into `set`, IPv6 into the set after it; with
 * SET_APART4, also their families into SET_PARTED. False when memory is out. */
bool apart_image(const struct apart *x, unsigned set, struct image *i);

#endif

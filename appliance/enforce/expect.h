/* SPDX-License-Identifier: Apache-2.0 */
/* The image that the kernel should have for a generation. */
#ifndef SEKISHO_ENFORCE_EXPECT_H
#define SEKISHO_ENFORCE_EXPECT_H

#include <stdint.h>

#include "appliance/base/addr.h"

struct image_element;

/* An element of a set of cells, taken apart. */
struct cell_read {
	uint32_t iif, oif; /* kernel indexes */
	struct addr_range src, dst;
	uint8_t l4proto;
	uint16_t lo, hi; /* ports */
};
struct cell_read cell_read(unsigned set, const struct image_element *el);

#endif

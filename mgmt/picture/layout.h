/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Computes the positions of zones and arrows in the picture of the effective rules. Zones of a
 * class form a row. Between two rows, and below the last one, is a channel in which each arrow has
 * its own track, so no two arrows overlap. An arrow across more than one row goes through the right
 * margin. Plain numbers in tenths of a millimetre; the same input gives the same picture.
 */
#ifndef SEKISHO_MGMT_PICTURE_LAYOUT_H
#define SEKISHO_MGMT_PICTURE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#define LAYOUT_ROWS 6u	/* classes of zones */
#define LAYOUT_BENDS 6u /* largest number of points of an arrow */

struct layout_box {
	unsigned row;	/* given; fewer than LAYOUT_ROWS */
	unsigned width; /* given: width of its text; grows with its arrows */
	unsigned x, y, height;
};

struct layout_point {
	unsigned x, y;
};

struct layout_arrow {
	size_t from, to; /* given: indexes of two different boxes */
	struct layout_point at[LAYOUT_BENDS];
	size_t n;
	struct layout_point badge; /* the middle of the arrow's number */
};

struct layout {
	struct layout_box *boxes; /* the caller's */
	size_t n_boxes;
	struct layout_arrow *arrows; /* the caller's */
	size_t n_arrows;
	unsigned row_y[LAYOUT_ROWS], row_height[LAYOUT_ROWS]; /* 0: the row has no zone */
	/* given: smallest width; grows with its contents */
	unsigned width;
	unsigned height;
};

/* False when memory is out. */
bool layout_make(struct layout *l);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where zones and the arrows between them stand in the picture of the effective rules. Zones of a
 * class are a row; between two rows, and below the last, lies a channel in which each arrow has a
 * track of its own, so that no two lie on each other. An arrow over more than one row goes round by
 * the right margin. Plain numbers in tenths of a millimetre; the same input gives the same picture.
 */
#ifndef SEKISHO_MGMT_PICTURE_LAYOUT_H
#define SEKISHO_MGMT_PICTURE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#define LAYOUT_ROWS 6u	/* classes of zones */
#define LAYOUT_BENDS 6u /* points of an arrow, at most */

struct layout_box {
	unsigned row;	/* given; fewer than LAYOUT_ROWS */
	unsigned width; /* given: what its text takes; grows with its arrows */
	unsigned x, y, height;
};

struct layout_point {
	unsigned x, y;
};

struct layout_arrow {
	size_t from, to; /* given: boxes, not the same */
	struct layout_point at[LAYOUT_BENDS];
	size_t n;
	struct layout_point badge; /* the middle of its number */
};

struct layout {
	struct layout_box *boxes; /* the caller's */
	size_t n_boxes;
	struct layout_arrow *arrows; /* the caller's */
	size_t n_arrows;
	unsigned row_y[LAYOUT_ROWS], row_height[LAYOUT_ROWS]; /* 0: no zone is in it */
	/* given: the least; grows with what is in it */
	unsigned width;
	unsigned height;
};

/* False when memory is out. */
bool layout_make(struct layout *l);

#endif

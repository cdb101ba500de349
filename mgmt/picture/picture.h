/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Draws the effective rules as an SVG: zones in rows by class, and an arrow for each direction
 * between two zones and each mode. Below the map, each arrow's conduits are listed. It can also
 * draw data flows: arrow heads show where data goes, and the list what data. One file for A3
 * landscape, without scripts, style sheets or external parts.
 */
#ifndef SEKISHO_MGMT_PICTURE_PICTURE_H
#define SEKISHO_MGMT_PICTURE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

/* ---- data flows (flow.c) --------------------------------------------------------------------- */

/* The register of data flows, made from the effective rules: what each conduit carries, and in
 * which direction its data goes. */

/* The picture that a conduit belongs to: that of IT or of OT, if one of its ends is a zone of that
 * kind. */
enum flow_part { FLOW_IT = 1, FLOW_OT = 2, FLOW_ALL = FLOW_IT | FLOW_OT };
/* The direction of data, seen from the source of the conduit. */
enum flow_data { FLOW_THERE = 1, FLOW_BACK = 2 };

/*
 * The part of `effective` (docs/json.md) that belongs to IT or to OT: its zones, the zones with
 * which it exchanges data, and "conduits", a row for each conduit with an end there, in order:
 * "name", "label", "from", "to", "part" (it, ot, it_ot), "carries" ([{"protocol","commands"}], as
 * from grant_commands; null also where the conduit only observes), "data" (to_destination,
 * to_source, both), "mode", "until", "door", "purpose". Owned by the caller; NULL: there are no
 * conduits, or no memory.
 */
json_t *flow_sheet(const json_t *effective, enum flow_part part);
unsigned flow_data(const json_t *row);
/* The text of one element of the row's `carries`: "modbus: read, write". */
void flow_text(char *out, size_t size, const json_t *row, const json_t *carried, enum lang l);

/* ---- pictures (svg.c) ------------------------------------------------------------------------ */

/* `effective` as in docs/json.md, complete or filtered. Owned by the caller; NULL when memory is
 * out, or when there are no conduits. */
char *picture_svg(const json_t *effective, enum lang l);
/* As picture_svg, for data flows of IT, of OT, or of both. The picture is always one sheet. */
char *picture_flows(const json_t *effective, enum flow_part part, enum lang l);

/* ---- positions (layout.c) -------------------------------------------------------------------- */

/*
 * The positions of zones and arrows. Zones of a class form a row. Between two rows, and
 * below the last one, is a channel in which each arrow has its own track, so no two arrows overlap.
 * An arrow across more than one row goes through the right margin. Plain numbers in tenths of a
 * millimetre; the same input gives the same picture.
 */

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

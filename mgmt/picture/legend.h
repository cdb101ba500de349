/* SPDX-License-Identifier: Apache-2.0 */
/* What stands below the map, as lines of text: under each arrow its conduits, and of each conduit what passes by which commands. */
#ifndef SEKISHO_MGMT_PICTURE_LEGEND_H
#define SEKISHO_MGMT_PICTURE_LEGEND_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

#define LEGEND_CELLS 70u /* of a line; a full-width character takes two */

enum legend_kind {
	LEGEND_ARROW,	/* from where to where; its number is the arrow's */
	LEGEND_CONDUIT, /* name and label */
	LEGEND_DETAIL,	/* mode, end, line of the policy, packets */
	LEGEND_COMMAND, /* a protocol and what of it */
};

struct legend_line {
	enum legend_kind kind;
	size_t arrow;
	char *text;
};

struct legend {
	struct legend_line *lines;
	size_t n, room;
	bool failed;		  /* memory is out */
	json_t *grants, *packets; /* by a conduit's name: what it grants, and how many its cells let pass */
};

/* A text as lines of at most LEGEND_CELLS. */
void legend_add(struct legend *g, enum legend_kind kind, size_t arrow, const char *text);
/* Before the first conduit; so that each is found at once, however many there are. False when memory is out. */
bool legend_index(struct legend *g, const json_t *effective);
void legend_conduit(struct legend *g, size_t arrow, const json_t *conduit, enum lang l);
void legend_free(struct legend *g);

#endif

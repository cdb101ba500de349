/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effective rules as a picture: zones in rows by class, an arrow for each direction between two
 * zones and each mode, and below the map what each arrow stands for, conduit by conduit. Of data
 * flows, too: heads of arrows where data goes, and what it is. One SVG that prints on A3 across; no
 * script, no style sheet, nothing from elsewhere.
 */
#ifndef SEKISHO_MGMT_PICTURE_PICTURE_H
#define SEKISHO_MGMT_PICTURE_PICTURE_H

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "mgmt/words/flow.h"

/* `effective` as in docs/json.md, whole or filtered. Owned by the caller; NULL when memory is out,
 * or when it holds no conduits. */
char *picture_svg(const json_t *effective, enum lang l);
/* The data flows of one side, or of both; likewise. On one sheet, however many there are. */
char *picture_flows(const json_t *effective, enum flow_part part, enum lang l);

#endif

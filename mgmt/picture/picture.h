/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Draws the effective rules as an SVG: zones in rows by class, and an arrow for each direction
 * between two zones and each mode. Below the map, each arrow's conduits are listed. It can also
 * draw data flows: arrow heads show where data goes, and the list what data. One file for A3
 * landscape, without scripts, style sheets or external parts.
 */
#ifndef SEKISHO_MGMT_PICTURE_PICTURE_H
#define SEKISHO_MGMT_PICTURE_PICTURE_H

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "mgmt/words/flow.h"

/* `effective` as in docs/json.md, complete or filtered. Owned by the caller; NULL when memory is
 * out, or when there are no conduits. */
char *picture_svg(const json_t *effective, enum lang l);
/* As picture_svg, for data flows of IT, of OT, or of both. The picture is always one sheet. */
char *picture_flows(const json_t *effective, enum flow_part part, enum lang l);

#endif

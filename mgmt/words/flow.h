/* SPDX-License-Identifier: Apache-2.0 */
/* The register of data flows, made from the effective rules: what each conduit carries, and in
 * which direction its data goes. */
#ifndef SEKISHO_MGMT_WORDS_FLOW_H
#define SEKISHO_MGMT_WORDS_FLOW_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

/* The picture that a conduit belongs to: that of IT or of OT, if one of its ends is a zone of that
 * kind. */
enum flow_part { FLOW_IT = 1, FLOW_OT = 2, FLOW_ALL = FLOW_IT | FLOW_OT };
/* The direction of data, seen from the source of the conduit. */
enum flow_data { FLOW_THERE = 1, FLOW_BACK = 2 };

/*
 * The part of `effective` (docs/json.md) for that side: its zones, the zones with which it
 * exchanges data, and "conduits", a row for each conduit with an end there, in order: "name",
 * "label", "from", "to", "part" (it, ot, it_ot), "carries" ([{"protocol","commands"}], as from
 * grant_commands), "data" (to_destination, to_source, both), "mode", "until", "door", "purpose".
 * Owned by the caller; NULL: there are no conduits, or no memory.
 */
json_t *flow_sheet(const json_t *effective, enum flow_part part);
unsigned flow_data(const json_t *row);
/* The text of one element of `carries`: "modbus: read, write". */
void flow_text(char *out, size_t size, const json_t *carried, enum lang l);

#endif

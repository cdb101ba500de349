/* SPDX-License-Identifier: Apache-2.0 */
/* The register of data flows, made of the effective rules: what each conduit carries, and which way
 * its data goes. */
#ifndef SEKISHO_MGMT_WORDS_FLOW_H
#define SEKISHO_MGMT_WORDS_FLOW_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

/* Of which of the two pictures a conduit is: one end is a zone of that side. */
enum flow_part { FLOW_IT = 1, FLOW_OT = 2, FLOW_ALL = FLOW_IT | FLOW_OT };
/* Which way data goes, seen from who asks. */
enum flow_data { FLOW_THERE = 1, FLOW_BACK = 2 };

/*
 * Of `effective` (docs/json.md) what has to do with that side: its zones and those that it
 * exchanges data with, and as "conduits" a row for each with an end there, in their order: "name",
 * "label", "from", "to", "part" (it, ot, it_ot), "carries" ([{"protocol","commands"}], as
 * grant_commands has them), "data" (to_destination, to_source, both), "mode", "until", "door",
 * "purpose". The caller's; NULL: it holds no conduits, or no memory.
 */
json_t *flow_sheet(const json_t *effective, enum flow_part part);
unsigned flow_data(const json_t *row);
/* "modbus: read, write": one of `carries`. */
void flow_text(char *out, size_t size, const json_t *carried, enum lang l);

#endif

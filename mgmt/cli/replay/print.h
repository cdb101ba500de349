/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints a replay's results: for programs as lines of JSON (docs/json.md), for people as tables.
 * Reads the book, changes nothing.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_PRINT_H
#define SEKISHO_MGMT_CLI_REPLAY_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "dpi/protocol.h"
#include "mgmt/cli/cli.h"

struct flow_info;
struct ir;
struct replay;

json_t *replay_pdu_json(const struct ir *ir, const struct flow_info *f, const struct pdu *p, enum event_verdict v,
			uint32_t frame);
/* {"type":"diagnostic"}: a message about the capture itself; frame 0 = about no frame. */
json_t *replay_diagnostic_json(const char *severity, const char *message, uint32_t frame);
/* Prints the flows in the order of their beginnings, then the summary. */
void replay_print_json(FILE *to, const struct replay *r);
/* Prints flows, commands, other dropped packets, and a closing sentence. False when memory ran
 * out. */
bool replay_print_text(struct cli *c, const struct replay *r, const char *policy, const char *capture);

#endif

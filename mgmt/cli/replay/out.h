/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A replay's results for programs (lines of JSON, docs/json.md) and for people (tables). Reads the book, changes nothing.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_OUT_H
#define SEKISHO_MGMT_CLI_REPLAY_OUT_H

#include "mgmt/cli/cli.h"
#include "mgmt/cli/replay/run.h"

json_t *replay_pdu_json(const struct ir *ir, const struct flow_info *f, const struct pdu *p, enum event_verdict v,
			uint32_t frame);
/* {"type":"diagnostic"}: something about the capture itself; frame 0 = none. */
json_t *replay_diagnostic_json(const char *severity, const char *message, uint32_t frame);
/* Flow lines in the order of the flows' beginnings, then the summary. */
void replay_print_json(FILE *to, const struct replay *r);
/* Flows, commands, what was dropped besides, and a closing sentence. False when memory ran out on the way. */
bool replay_print_text(struct cli *c, const struct replay *r, const char *policy, const char *capture);

#endif

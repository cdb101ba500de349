/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the difference in effect of two policies (policy/render/means.h), for all verbs that
 * show it. */
#ifndef SEKISHO_MGMT_CLI_POLICY_MEANS_H
#define SEKISHO_MGMT_CLI_POLICY_MEANS_H

#include "mgmt/cli/policy/source.h"

/* Prints the sentences, or that there are none. `before` and `after` are put before the names of
 * files: "old/". */
void means_print(struct cli *c, const json_t *sentences, const char *before, const char *after);
/* Prints the sentences in an answer of the box; nothing if it has none. */
void means_answered(struct cli *c, const json_t *answer, const char *folder);

#endif

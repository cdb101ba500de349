/* SPDX-License-Identifier: Apache-2.0 */
/* In what two policies differ by what they do (policy/render/means.h), on the screen: for every verb that tells it. */
#ifndef SEKISHO_MGMT_CLI_POLICY_MEANS_H
#define SEKISHO_MGMT_CLI_POLICY_MEANS_H

#include "mgmt/cli/policy/source.h"

/* The sentences, or that there are none. `before` and `after` are what stands before the files' names: "old/". */
void means_print(struct cli *c, const json_t *sentences, const char *before, const char *after);
/* The same of an answer of the box; nothing where it tells none. */
void means_answered(struct cli *c, const json_t *answer, const char *folder);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In what two policies differ by what they do, in sentences: one place for every verb that tells it. See policy/space/differ.h.
 */
#ifndef SEKISHO_MGMT_CLI_POLICY_MEANS_H
#define SEKISHO_MGMT_CLI_POLICY_MEANS_H

#include "mgmt/cli/policy/source.h"

/*
 * An array of sentences, as docs/json.md has it under diff; empty: they mean the same from now on. A new reference; NULL: it cannot be
 * told, for want of memory or since the two are too large to be laid over each other.
 */
json_t *means_json(const struct source *before, const struct source *after);
/* The sentences of means_json, or that there are none. `before` and `after` are what stands before the files' names: "old/". */
void means_print(struct cli *c, const json_t *sentences, const char *before, const char *after);

#endif

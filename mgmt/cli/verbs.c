/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/verbs.h"

const struct cli_verb *const cli_verbs[] = {
#define VERB(name) &verb_##name,
#include "mgmt/cli/verbs.def"
};

const size_t cli_n_verbs = sizeof(cli_verbs) / sizeof(cli_verbs[0]);

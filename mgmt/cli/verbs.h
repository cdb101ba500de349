/* SPDX-License-Identifier: Apache-2.0 */
/* Every verb of `sekisho`, each defined in the file or folder of its name. */
#ifndef SEKISHO_MGMT_CLI_VERBS_H
#define SEKISHO_MGMT_CLI_VERBS_H

#include "mgmt/cli/cli.h"

#define VERB(name) extern const struct cli_verb verb_##name;
#include "mgmt/cli/verbs.def"
#undef VERB

#endif

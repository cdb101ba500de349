/* SPDX-License-Identifier: Apache-2.0 */
/* The function of every verb of `sekisho`, and the options of those that have some, each defined in
 * the file or folder of its name. */
#ifndef SEKISHO_MGMT_CLI_VERBS_H
#define SEKISHO_MGMT_CLI_VERBS_H

#include "mgmt/cli/cli.h"

#define VERB(id, ...)                                                                                                  \
	cli_run verb_##id;                                                                                             \
	extern const struct cli_option options_##id[];
#include "mgmt/cli/verbs.def"
#undef VERB

#endif

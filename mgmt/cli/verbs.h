/* SPDX-License-Identifier: Apache-2.0 */
/* The function of every verb of `sekisho`, defined in the file or folder of its name, and the
 * options of those that have some. */
#ifndef SEKISHO_MGMT_CLI_VERBS_H
#define SEKISHO_MGMT_CLI_VERBS_H

#include "mgmt/cli/cli.h"

#define VERB(id, ...) cli_run verb_##id;
#include "mgmt/cli/verbs.def"
#undef VERB

#define OPTION(id, ...) OPT_##id,
#define OPTIONS(table, ...)                                                                                            \
	enum { __VA_ARGS__ };                                                                                          \
	extern const struct cli_option options_##table[];
#include "mgmt/cli/options.def"
#undef OPTIONS
#undef OPTION

#endif

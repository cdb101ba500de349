/* SPDX-License-Identifier: Apache-2.0 */
/* The options of all verbs, as tables. */
#include "mgmt/cli/verbs.h"

#define OPTION(id, ...) { __VA_ARGS__ },
#define OPTIONS(table, ...) const struct cli_option options_##table[] = { __VA_ARGS__{ 0 } };
#include "mgmt/cli/options.def"

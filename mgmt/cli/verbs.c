/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/verbs.h"

static const struct cli_option options_none[] = { { 0 } };

const struct cli_verb cli_verbs[] = {
#define VERB(id, name, under, group, operands, least, most, options, summary, text, paged)                             \
	{ name, under, group, operands, least, most, options_##options, summary, text, verb_##id, paged },
#include "mgmt/cli/verbs.def"
#undef VERB
};

const size_t cli_n_verbs = sizeof(cli_verbs) / sizeof(cli_verbs[0]);

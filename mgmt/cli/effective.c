/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho effective`: what the box enforces, as an auditor reads it: per conduit who answers for it, which packets pass
 * (cells and counters of the kernel) and which commands (the workers' tables).
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/effective_text.h"
#include "mgmt/cli/request.h"
#include "mgmt/cli/verbs.h"

enum { OPT_TO, OPT_N };

static const struct cli_option options[OPT_N] = {
	[OPT_TO] = { "--to", 0, "text|json", M_EFFECTIVE_OPT_TO },
};

static int run(struct cli *c, const struct cli_args *a)
{
	const char *form = a->values[OPT_TO];
	struct box_answer answer;
	int status;

	if (form != NULL && strcmp(form, "text") != 0 && strcmp(form, "json") != 0)
		return cli_fail(c, CLI_INVALID, M_EFFECTIVE_FORM, form);
	if (form != NULL)
		c->json = strcmp(form, "json") == 0;
	if (!box_request(c, MSG_CTL_EFFECTIVE, NULL, NULL, 0, 60, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status))
		effective_render(c, answer.json);
	box_answer_free(&answer);
	return status;
}

const struct cli_verb verb_effective = {
	.name = "effective",
	.group = CLI_ON_BOX,
	.operands = "",
	.options = options,
	.n_options = OPT_N,
	.summary = M_EFFECTIVE_SUMMARY,
	.text = M_EFFECTIVE_TEXT,
	.run = run,
};

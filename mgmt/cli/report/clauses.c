/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho report controls` and `sekisho report self-check`: what mgmt/report makes of facts. */
#include "mgmt/report/clauses.h"
#include "mgmt/cli/report/report.h"
#include "mgmt/cli/verbs.h"

static const struct cli_option options[OPT_REPORT_N] = { REPORT_OPTIONS };

static int give(struct cli *c, const struct cli_args *a, report_of_clauses *report)
{
	struct deeds deeds;
	struct page *p;
	json_t *facts, *data;
	int status;

	facts = report_facts(c, a, &status);
	if (facts == NULL)
		return status;
	report_deeds(c, facts, &deeds);
	p = report(facts, &deeds, c->lang, &data);
	status = report_give(c, a, p, data, CLI_YES);
	json_decref(facts);
	return status;
}

static int controls(struct cli *c, const struct cli_args *a)
{
	return give(c, a, report_controls);
}

static int self_check(struct cli *c, const struct cli_args *a)
{
	return give(c, a, report_self_check);
}

const struct cli_verb verb_report_controls = {
	.name = "report",
	.under = "controls",
	.group = CLI_ON_BOX,
	.operands = "",
	.options = options,
	.n_options = OPT_REPORT_N,
	.summary = M_CONTROLS_SUMMARY_LINE,
	.text = M_CONTROLS_TEXT,
	.run = controls,
};

const struct cli_verb verb_report_self_check = {
	.name = "report",
	.under = "self-check",
	.group = CLI_ON_BOX,
	.operands = "",
	.options = options,
	.n_options = OPT_REPORT_N,
	.summary = M_SELF_SUMMARY_LINE,
	.text = M_SELF_TEXT,
	.run = self_check,
};

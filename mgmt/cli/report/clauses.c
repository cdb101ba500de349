/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho report controls` and `sekisho report self-check`: what mgmt/report makes of facts. */
#include "mgmt/report/clauses.h"
#include "mgmt/cli/report/report.h"
#include "mgmt/cli/verbs.h"

const struct cli_option options_report_controls[OPT_REPORT_N + 1] = { REPORT_OPTIONS };

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

int verb_report_controls(struct cli *c, const struct cli_args *a)
{
	return give(c, a, report_controls);
}

int verb_report_self_check(struct cli *c, const struct cli_args *a)
{
	return give(c, a, report_self_check);
}

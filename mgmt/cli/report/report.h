/* SPDX-License-Identifier: Apache-2.0 */
/* What all reports share: their options, where they get their facts, and how they are given out. */
#ifndef SEKISHO_MGMT_CLI_REPORT_REPORT_H
#define SEKISHO_MGMT_CLI_REPORT_REPORT_H

#include "mgmt/cli/report/facts.h"
#include "mgmt/report/clauses.h"

/* The first options of each verb, in this order. */
enum { OPT_HTML, OPT_CSV, OPT_FACTS, OPT_JOURNAL, OPT_REPORT_N };
#define REPORT_OPTIONS                                                                                                 \
	[OPT_HTML] = { "--html", 0, "FILE", M_REPORT_OPT_HTML }, [OPT_CSV] = { "--csv", 0, "FILE", M_REPORT_OPT_CSV }, \
	[OPT_FACTS] = { "--facts", 0, "FILE", M_REPORT_OPT_FACTS },                                                    \
	[OPT_JOURNAL] = { "--journal", 0, "FOLDER", M_REPORT_OPT_JOURNAL }

/* From --facts, or from the box. NULL after saying why there are none. */
json_t *report_facts(struct cli *c, const struct cli_args *a, int *ret_status);
/* False: not all of it could be written. */
bool page_text(const struct page *p, FILE *to, bool color);
/*
 * In the form that was asked for: --json, files, or text. Takes both; `data` is the report for
 * programs. Returns `status`, or why it could not be written. A file
 * that is there is never written over.
 */
int report_give(struct cli *c, const struct cli_args *a, struct page *p, json_t *data, int status);

/* The events of a span, as facts_events has them; of facts that were kept without any, false after
 * saying that. */
bool report_events(struct cli *c, const json_t *facts, const char *since, const char *until,
		   void (*each)(void *ctx, const json_t *event), void *ctx, int *ret_status);
/* What was done in the year before the facts were taken. */
void report_deeds(struct cli *c, const json_t *facts, struct deeds *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What all reports share: their options, where they get their facts, and how they are given out. */
#ifndef SEKISHO_MGMT_CLI_REPORT_REPORT_H
#define SEKISHO_MGMT_CLI_REPORT_REPORT_H

#include "mgmt/cli/report/facts.h"
#include "mgmt/cli/report/page.h"
#include "mgmt/cli/report/probe.h"

/* The first options of each verb, in this order. */
enum { OPT_HTML, OPT_CSV, OPT_FACTS, OPT_JOURNAL, OPT_REPORT_N };
#define REPORT_OPTIONS                                                                                                 \
	[OPT_HTML] = { "--html", 0, "FILE", M_REPORT_OPT_HTML }, [OPT_CSV] = { "--csv", 0, "FILE", M_REPORT_OPT_CSV }, \
	[OPT_FACTS] = { "--facts", 0, "FILE", M_REPORT_OPT_FACTS },                                                    \
	[OPT_JOURNAL] = { "--journal", 0, "FOLDER", M_REPORT_OPT_JOURNAL }

/* From --facts, or from the box. NULL after saying why there are none. */
json_t *report_facts(struct cli *c, const struct cli_args *a, int *ret_status);
/* The heading that all have: of which box, when, from what. */
void report_head(struct page *p, const json_t *facts);
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

/*
 * Every clause of every document of docs/controls, judged:
 * [{"document","name","edition","note","clauses":[{"clause","force","en","ja","rest"?,"verdict",
 *   "evidence":[{"probe","verdict","from","taken","en","ja"}]}],"summary":{"met":3,...}}]
 * The array is the caller's.
 */
json_t *controls_judge(const json_t *facts, const struct deeds *deeds);
/* One document in their form, in place. */
void controls_judge_one(json_t *document, const json_t *facts, const struct deeds *deeds);
/* Of a clause that was judged: the verdict, and the cell with its evidence. */
enum verdict controls_verdict(const json_t *clause);
void controls_evidence(struct page *p, const json_t *clause, enum lang l);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two reports that the command line and the pages have alike: what each clause of the documents of
 * docs/controls asks for and the box can show of it, and the half-yearly self-check. Of facts
 * (answers.h), and what was counted of a year's records. Pure.
 */
#ifndef SEKISHO_MGMT_REPORT_CLAUSES_H
#define SEKISHO_MGMT_REPORT_CLAUSES_H

#include "mgmt/report/answers.h"
#include "mgmt/report/page.h"
#include "mgmt/report/probe.h"

/* The page, which is the caller's; NULL without memory. *ret_data: the same for programs, a
 * new reference. */
typedef struct page *report_of_clauses(const json_t *facts, const struct deeds *deeds, enum lang l, json_t **ret_data);
report_of_clauses report_controls, report_self_check;

/* The heading that all reports have: of which box, when, from what. */
void report_head(struct page *p, const json_t *facts);

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
/* A line for the name and one for the day. */
void report_sign(struct page *p);
/* What all of them say of themselves for programs, with their own part. Takes `of`. */
json_t *report_data(const char *name, const json_t *facts, const char *key, json_t *of);

#endif

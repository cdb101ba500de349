/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two reports that the command line and the pages share: for each clause of the documents in
 * docs/controls, what the box can show; and the half-yearly self-check. Made from facts
 * (answers.h), and from counts of a year's records. Pure.
 */
#ifndef SEKISHO_MGMT_REPORT_CLAUSES_H
#define SEKISHO_MGMT_REPORT_CLAUSES_H

#include "mgmt/report/answers.h"
#include "mgmt/report/page.h"
#include "mgmt/report/probe.h"

/* Makes the page, owned by the caller; NULL without memory. *ret_data: the same for programs, a new
 * reference. */
typedef struct page *report_of_clauses(const json_t *facts, const struct deeds *deeds, enum lang l, json_t **ret_data);
report_of_clauses report_controls, report_self_check;

/* Adds the head of all reports: the box, the time, and the source of the facts. */
void report_head(struct page *p, const json_t *facts);

/*
 * Judges all clauses of all documents of docs/controls:
 * [{"document","name","edition","note","clauses":[{"clause","force","en","ja","rest"?,"verdict",
 * "evidence":[{"probe","verdict","from","taken","en","ja"}]}],"summary":{"met":3,...}}] The array
 * is owned by the caller.
 */
json_t *controls_judge(const json_t *facts, const struct deeds *deeds);
/* Judges one document of that form, in place. */
void controls_judge_one(json_t *document, const json_t *facts, const struct deeds *deeds);
/* For a judged clause: its verdict, and the cell with its evidence. */
enum verdict controls_verdict(const json_t *clause);
void controls_evidence(struct page *p, const json_t *clause, enum lang l);
/* Adds lines for a signature and a date. */
void report_sign(struct page *p);
/* The common members of all reports for programs, with `of` at `key`. Takes the reference of
 * `of`. */
json_t *report_data(const char *name, const json_t *facts, const char *key, json_t *of);

#endif

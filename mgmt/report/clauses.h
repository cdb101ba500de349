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

/* Whether this clause, such as "P 1.7.1", asks something that only a person can answer. */
bool clause_asks(const char *clause);

/* Adds the head of all reports: the box, the time, and the source of the facts. */
void report_head(struct page *p, const json_t *facts);

/*
 * The data of report_controls, at "documents", is a list of the documents of docs/controls, and
 * that of report_self_check, at "check", one such document:
 * {"document","name","edition","note","clauses":[{"clause","force","en","ja","rest"?,"verdict",
 * "evidence":[{"probe","verdict","from","taken","en","ja"}]}],"summary":{"met":3,...}}
 * A part that is left to a person ("rest"), or a clause without probes, counts as met while the
 * records have a person's answer ('sekisho review --clause') whose time is not over; "days" of a
 * clause: an older answer does not count.
 */

/* docs/controls as a part of the program: build/controls/files.c, made by mgmt/ui/embed. */
extern const unsigned char controls_port[], controls_cpsf[], controls_nisc[], controls_sisac[], controls_self_check[];
extern const size_t controls_port_size, controls_cpsf_size, controls_nisc_size, controls_sisac_size,
	controls_self_check_size;

#endif

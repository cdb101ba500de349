/* SPDX-License-Identifier: Apache-2.0 */
/* What all reports share: their options, the source of their facts, and their output. */
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

/* Reads the facts from --facts or from the box. NULL: there are none; the reason was printed. */
json_t *report_facts(struct cli *c, const struct cli_args *a, int *ret_status);
/* Writes the page as text for a terminal. False: not all of it could be written. */
bool page_text(const struct page *p, FILE *to, bool color);
/*
 * Writes the report as --json, files or text, as the options say. Owns `p` and `data`; `data` is
 * the report for programs. Returns `status`, or the exit status of a failure to write. Never
 * overwrites a file.
 */
int report_give(struct cli *c, const struct cli_args *a, struct page *p, json_t *data, int status);

/* Calls `each` for the events of a span, as facts_events does. False, after printing that, if the
 * facts were saved without events. */
bool report_events(struct cli *c, const json_t *facts, const char *since, const char *until,
		   void (*each)(void *ctx, const json_t *event), void *ctx, int *ret_status);
/* Counts what happened in the year before the facts were taken. */
void report_deeds(struct cli *c, const json_t *facts, struct deeds *ret);

#endif

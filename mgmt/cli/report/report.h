/* SPDX-License-Identifier: Apache-2.0 */
/* What all reports share: their options, the source of their facts, and their output. */
#ifndef SEKISHO_MGMT_CLI_REPORT_REPORT_H
#define SEKISHO_MGMT_CLI_REPORT_REPORT_H

#include "appliance/base/json.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/words/moment.h"
#include "mgmt/report/answers.h"
#include "mgmt/report/clauses.h"
#include "mgmt/report/page.h"
#include "mgmt/state/read.h"

struct answer_row;

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

/* Calls `each` for the events of a span, as facts_events does. If the facts were saved without
 * events, it prints this and returns false. */
bool report_events(struct cli *c, const json_t *facts, const char *since, const char *until,
		   void (*each)(void *ctx, const json_t *event), void *ctx, int *ret_status);

/* Where reports of the command line get their facts (mgmt/report/answers.h): from the box, or
 * from a file that was kept. */

#define FACTS_JOURNAL "/var/lib/sekisho/journal"

struct facts_wish {
	const char *journal; /* the record folder; NULL = records are not verified */
	bool texts;	     /* also keep the policy's texts and the sessions */
	/* time for all questions together; later answers are left out and listed as missing */
	unsigned seconds;
};

/*
 * Collects the facts from the box. Without a daemon, sekishod itself reads `status` and
 * `effective`; for the other facts, the reason why they are missing is kept. NULL without memory.
 */
json_t *facts_gather(struct cli *c, const struct facts_wish *wish);
/* Asks the box. NULL: no box can be asked; the reason was printed, and *ret_status is set. */
json_t *facts_take(struct cli *c, const struct facts_wish *wish, int *ret_status);
/* Reads a file. NULL: it is invalid; the reason was printed. */
json_t *facts_read(struct cli *c, const char *file, int *ret_status);

/*
 * Calls `each` for every event from `since` (inclusive) to `until` (exclusive), both in the form of
 * an event's time. The events come from the stored facts, or else from the box. False: they could
 * not be read; the reason was printed, and *ret_status is set.
 */
bool facts_events(struct cli *c, const json_t *facts, const char *since, const char *until,
		  void (*each)(void *ctx, const json_t *event), void *ctx, int *ret_status);

/* The time span of a report. Times have the form of an event's time, so they can be compared as
 * text. */

struct span {
	char from[MOMENT_TEXT], until[MOMENT_TEXT]; /* `until` itself is not included */
};

/*
 * Reads --month, or --from and --until; `now` is used for an end that is not given. CLI_YES, or
 * another status after the reason was printed.
 */
int span_read(struct cli *c, const char *month, const char *from, const char *until, const char *now, struct span *ret);
/* Converts a time to seconds since 1970; 0 = invalid. */
uint64_t span_seconds(const char *moment);

/*
 * Rows of a report with counts: for each event, the row with its key is found, and its counts are
 * increased. A sender of packets can cause any number of different keys, so a tally has at most
 * TALLY_ROWS rows. Further events are added to one row `more`, so that sums are exact.
 */

#define TALLY_ROWS 400u

struct tally {
	json_t *rows;	/* array of objects; owned */
	json_t *places; /* key -> index; owned */
};

void tally_open(struct tally *t);
/* Frees the tally, and returns the rows, owned by the caller. */
json_t *tally_close(struct tally *t);

/*
 * Adds `count` to the row with this key, one to its "records", and extends its "first" and "last"
 * to `when`. A row that is missing is made from `fresh`, whose reference is taken in any case.
 */
void tally_add(struct tally *t, const char *key, json_t *fresh, unsigned long long count, const char *when);
/* Sorts by count, largest first. */
void tally_sort(struct tally *t);
/* Appends a copy of `j` to a list of at most TALLY_ROWS members; beyond that it only increments
 * *more. */
void tally_keep(json_t *list, unsigned long long *more, const json_t *j);

/* Shared by reports about records: tables of single records with their sentences, and tables of
 * sums. */

/* Whether a record is about traffic: packets or commands that passed, were refused or were
 * observed. */
bool event_is_traffic(const json_t *event);
/* "[2001:db8::1]:502" without its port. */
void host_of_end(const char *end, char out[64]);
/* A table with number, time and sentence of each event, and below it the number of further ones.
 * Without events, a sentence that there are none. */
void page_events(struct page *p, const json_t *events, unsigned long long more);
/* A table of rows {"verdict","reason","conduit","count","records","first","last"}. */
void page_refusals(struct page *p, const json_t *rows);
void page_cell_time(struct page *p, const char *when);
/* A table of report.def, with a row for each member of the list; without any, M_TOLD_NONE. */
void page_rows(struct page *p, const struct answer_row *table, const json_t *list);
/* Writes the span as one text: "2026-10-01 ... to ...". */
void span_text(const char *from, const char *until, char *out, size_t size);
/* The row of page_refusals that this record belongs to, owned by the caller. `key`: the key of that
 * row. */
json_t *refusal_row(const json_t *event, char *key, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a report with counts: for each event, the row with its key is found, and its counts are
 * increased. A sender of packets can cause any number of different keys, so a tally has at most
 * TALLY_ROWS rows. Further events are added to one row `more`, so that sums are exact.
 */
#ifndef SEKISHO_MGMT_CLI_REPORT_TALLY_H
#define SEKISHO_MGMT_CLI_REPORT_TALLY_H

#include "mgmt/state/read.h"

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

#endif

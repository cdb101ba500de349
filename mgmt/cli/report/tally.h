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
/* The rows, the caller's; the rest is freed. */
json_t *tally_close(struct tally *t);

/*
 * The row of this key, borrowed; a new one is `fresh`, whose reference is taken in any case. Its
 * "count" and "records" grow by that, "first" and "last" take in the moment.
 */
void tally_add(struct tally *t, const char *key, json_t *fresh, unsigned long long count, const char *when);
/* The most counted first. */
void tally_sort(struct tally *t);
/* A list that keeps its first TALLY_ROWS members; *more counts the others. A copy of `j` is
 * put in. */
void tally_keep(json_t *list, unsigned long long *more, const json_t *j);

#endif

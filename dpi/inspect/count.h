/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts accepted operations by kind. Operations of one kind have the same conduit, row, pair of
 * hosts, target, function and addresses. Each kind also has the least and the largest value
 * written. Operations are counted when their segment passes. The counts are written every hour,
 * when another generation comes and at the end, so that a later policy can be compared with past
 * traffic: "this would have stopped 12 sessions in 90 days".
 *
 * The table has COUNTS_MAX places, and no peer can make it grow. When only its last quarter is
 * free, new kinds are no longer distinguished by addresses; each has the span of all its addresses
 * instead. When the table is full, operations of further kinds are only added to one sum. Counting
 * never blocks and allocates no memory.
 *
 * The table outlives the worker (inspector_keep_counts). A worker that is killed leaves each count
 * as it was before or after a segment: what was counted for verdicts that were not sent is taken
 * out again.
 */
#ifndef SEKISHO_DPI_INSPECT_COUNT_H
#define SEKISHO_DPI_INSPECT_COUNT_H

#include "dpi/inspect/crossing.h"
#include "dpi/judge.h"

#define COUNTS_MAX 2048u /* kinds a worker tells apart */
/* above so many, kinds are no longer distinguished by their addresses */
#define COUNTS_EXACT (COUNTS_MAX / 4u * 3u)
/* kinds that are remembered for a flow; in further kinds the flow is not counted as a session */
#define TALLY_KINDS 16u

/* Where the operations of one flow were counted. Zeroed at its beginning. */
struct tally {
	uint16_t kinds[TALLY_KINDS];
	uint32_t n;
	uint32_t epoch; /* the epoch in which these places are valid */
};

struct counts *counts_new(void); /* NULL when memory is out */
void counts_free(struct counts *all);

/*
 * Holds the operations of an allowed request in the segment that is being judged. For an allowed
 * datagram, these are the operations of the request that opened its connection, so that long-lived
 * connections are counted as well.
 */
void count_hold(struct crossing *x, enum direction by, const struct operation *o, uint32_t n, const struct pdu *u);
/* Counts the held operations if the segment passed; otherwise drops them. */
void count_keep(struct crossing *x, struct tally *t, bool passed);
/* Whether the segment that is being judged has operations already. */
bool count_holds(const struct inspector *i);
/* Where the last segment that passed was counted. False: it has operations without a place, or of
 * too many kinds. */
bool count_last(const struct inspector *i, struct count_again *ret);
/* The same operations passed `times` times more. */
void count_more(struct inspector *i, const struct count_again *a, uint64_t times);
/* Whether the places in `a` are still valid. */
bool count_knows(const struct inspector *i, const struct count_again *a);
/* The generation has ended: its counts are written from the next tick on. */
void counts_end_hour(struct inspector *i);
void counts_write_due(struct inspector *i);
uint64_t counts_next_due(const struct counts *all);
/* Writes all counts now. */
void counts_write_all(struct inspector *i);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepted operations, counted by conduit, row and pair of hosts, and there by what was asked for: whom, function, addresses, and
 * the least and the largest value written. What a segment holds is counted when it passes. Written every hour, when another
 * generation comes and at the end, so that a later change can be held against what went by: "this would have stopped 12 sessions in
 * 90 days".
 *
 * The table has a stated size and no peer can make it grow. Its last quarter is for kinds that differ from others in their addresses
 * alone: from then on such are one, with the span of all. When it is full as well, operations of kinds that are not in it are only
 * counted, and told in one sum. Nothing waits for it and nothing is allocated.
 */
#ifndef SEKISHO_DPI_INSPECT_COUNT_H
#define SEKISHO_DPI_INSPECT_COUNT_H

#include "dpi/inspect/crossing.h"
#include "dpi/judge.h"

#define COUNTS_MAX 2048u		    /* kinds a worker tells apart */
#define COUNTS_EXACT (COUNTS_MAX / 4u * 3u) /* of which so many by their addresses */
#define TALLY_KINDS 16u			    /* of a session: in how many of them it is counted as a session */

/* Where the operations of one flow were counted. Zeroed at its beginning. */
struct tally {
	uint16_t kinds[TALLY_KINDS];
	uint32_t n;
	uint32_t epoch; /* in which these places mean something */
};

struct counts *counts_new(void); /* NULL when memory is out */
void counts_free(struct counts *all);

/*
 * Operations of a request by one end that is allowed, of the segment being judged; or of the one that opened what an allowed datagram belongs to, so
 * that what was opened long ago and goes on is among what a change would stop.
 */
void count_hold(struct crossing *x, enum direction by, const struct operation *o, uint32_t n, const struct pdu *u);
/* What was held is counted, or is forgotten. */
void count_keep(struct crossing *x, struct tally *t, bool passed);
/* What is there so far is written from the next tick on: its generation is over. */
void counts_end_hour(struct inspector *i);
void counts_write_due(struct inspector *i);
uint64_t counts_next_due(const struct counts *all);
/* All of it, now. */
void counts_write_all(struct inspector *i);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepted commands, counted by flow and kind. What a segment holds is counted when it passes, and written once a minute and
 * when its flow ends.
 */
#ifndef SEKISHO_DPI_INSPECT_COUNT_H
#define SEKISHO_DPI_INSPECT_COUNT_H

#include "dpi/inspect/crossing.h"

#define COUNTED_MAX 8u /* kinds of commands told apart per flow; the next ones are summed up */

/* Accepted commands of one kind since the last record. */
struct counted {
	uint32_t targets[TARGET_MAX], function;
	uint64_t address;
	uint32_t quantity;
	uint8_t space;
	uint32_t permit; /* by which it was judged: the flow may have another by now */
	uint32_t conduit, line;
	struct place row;
	struct event_generation generation; /* in which these numbers mean something */
	uint64_t count;
};

/* Those of one flow. Zeroed but for `flow` at its beginning; written (count_write) before it is forgotten. */
struct tally {
	struct counted kinds[COUNTED_MAX + 1]; /* the last one sums up what found no place */
	uint32_t n;
	uint32_t flow;
	bool listed; /* something is to be written; stands in the list of those */
	struct tally *older, *newer;
	uint64_t due_ns;
};

struct counts *counts_new(void); /* NULL when memory is out */
void counts_free(struct counts *all);

/* A command that is allowed, of the segment being judged. */
void count_hold(struct crossing *x, const struct pdu *u);
/* What was held is the flow's, or is forgotten. */
void count_keep(struct inspector *i, struct tally *t, bool passed);
void count_write(struct inspector *i, struct tally *t);
void counts_write_due(struct inspector *i);
uint64_t counts_next_due(const struct counts *all);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merges floods: equal records within a second become one record with a count. Journal role only;
 * pure, with a fixed amount of memory. The first records of a kind pass at once; the counts are
 * exact.
 */
#ifndef SEKISHO_JOURNAL_MERGE_H
#define SEKISHO_JOURNAL_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/role.h"

#define MERGE_SLOTS 1024u
#define MERGE_WINDOW_NS 1000000000ull

struct merge_slot {
	bool used;
	enum role from;
	/* the newest record of its kind; its count is that of the held-back records */
	struct event event;
	uint64_t since_ns; /* monotonic ns: start of the window */
	uint32_t passed;   /* records that passed in this window */
};

/* Start from zero bytes. */
struct merge {
	struct merge_slot slots[MERGE_SLOTS];
	uint64_t merged; /* records that became part of another */
};

/*
 * Takes a record at `now_ns`. True: *ret (and its role) is to be written now; it may be another
 * record, when room had to be made. False: the record is held back.
 */
bool merge_in(struct merge *m, const struct event *e, enum role from, uint64_t now_ns, struct event *ret,
	      enum role *ret_from);
/* The next held-back record whose window is over; `all`: the next one, over or not. Call until it
 * returns false. */
bool merge_out(struct merge *m, uint64_t now_ns, bool all, struct event *ret, enum role *ret_from);
/* When the next one is due; UINT64_MAX = none. */
uint64_t merge_due(const struct merge *m);

#endif

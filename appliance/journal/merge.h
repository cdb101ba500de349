/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floods: records that say the same thing again within a second become one with a count. Journal role only; pure, with a
 * fixed amount of memory. The first records of a kind pass at once; nothing is left out of the counts.
 */
#ifndef SEKISHO_JOURNAL_MERGE_H
#define SEKISHO_JOURNAL_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

#define MERGE_SLOTS 1024u
#define MERGE_WINDOW_NS 1000000000ull

struct merge_slot {
	bool used;
	enum role from;
	struct event event; /* the newest of its kind; count = what is held back */
	uint64_t since_ns;  /* monotonic: window's start */
	uint32_t passed;    /* in this window */
};

/* Start from zero bytes. */
struct merge {
	struct merge_slot slots[MERGE_SLOTS];
	uint64_t merged; /* records that became part of another */
};

/*
 * A record comes in at `now_ns`. True: *ret (and its role) is to be written now; it may be another one than came in, when
 * room had to be made. False: held back.
 */
bool merge_in(struct merge *m, const struct event *e, enum role from, uint64_t now_ns, struct event *ret,
	      enum role *ret_from);
/* A held-back record whose window is over (or any, with `all`). Call until it says false. */
bool merge_out(struct merge *m, uint64_t now_ns, bool all, struct event *ret, enum role *ret_from);
/* When the next one is due; UINT64_MAX = none. */
uint64_t merge_due(const struct merge *m);

#endif

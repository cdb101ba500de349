/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading records back out of the segments, for QUERY_EVENTS and QUERY_EXPLAIN. Journal role only. It hands out what the
 * file says, line for line; it repairs and judges nothing.
 */
#ifndef SEKISHO_JOURNAL_READ_H
#define SEKISHO_JOURNAL_READ_H

#include "appliance/journal/chain.h"
#include "appliance/journal/filter.h"

/* While it looks through files for long: whether nobody waits for the rest any more. */
struct journal_patience {
	bool (*over)(void *ctx);
	void *ctx;
};

/*
 * Records with numbers above `after` that match (NULL = all), oldest first, at most `max` and at most some megabytes: a
 * JSON array, a new reference. *ret_next is the number to ask after next time; when it is `after`, there is nothing more.
 * NULL when memory or the file fails, or with -ECANCELED when `p` (NULL = somebody waits for it) says that it is over.
 */
json_t *journal_read(struct journal *j, uint64_t after, uint32_t max, const struct line_filter *filter,
		     const struct journal_patience *p, uint64_t *ret_next, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading records back out of the segments, for MSG_EVENTS and MSG_EXPLAIN. Journal role only. It
 * returns the lines of the file as they are, without repairing or judging them.
 */
#ifndef SEKISHO_JOURNAL_READ_H
#define SEKISHO_JOURNAL_READ_H

#include "appliance/journal/chain.h"
#include "appliance/journal/filter.h"

/* A question that a long search asks again and again: has the asker left? */
struct journal_patience {
	bool (*over)(void *ctx);
	void *ctx;
};

/*
 * Records with numbers above `after` that match (NULL = all), oldest first, at most `max` and at
 * most some megabytes: a JSON array, a new reference. *ret_next is the number to ask after next
 * time; when it is `after`, there is nothing more.
 * NULL when memory is out or the file cannot be read, or with -ECANCELED when `p` says that the
 * asker does not wait any more (`p` NULL: the asker always waits).
 */
json_t *journal_read(struct journal *j, uint64_t after, uint32_t max, const struct line_filter *filter,
		     const struct journal_patience *p, uint64_t *ret_next, struct err *e);

#endif

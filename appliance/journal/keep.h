/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long records are kept: which file the site's rule lets go, and letting it go. Journal role only.
 *
 * Files go whole, the oldest first, and never the one that is written to. A file's age is that of its last write: of a plain one the
 * file's time, of a packed one the time in its header; never a time that a record says, since others say those. A new
 * file begins each day, with and without a rule, so that a file which goes a day before delete_after_days holds nothing that should have gone earlier, and nothing
 * that is younger than keep_days. While the disk is full none begins.
 *
 * A clock that jumps deletes nothing: age is counted twice and the lesser counts. Once by the clock, a file being no younger than any that
 * was written after it; and once from file to file, where more than a week without any record counts for nothing, since a clock
 * that went wrong looks the same as a box that was switched off. Such a box keeps its records longer by that time.
 */
#ifndef SEKISHO_JOURNAL_KEEP_H
#define SEKISHO_JOURNAL_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"

#define KEEP_DAY 86400u
#define KEEP_GAP (7u * KEEP_DAY) /* seconds; a longer one between two files counts for nothing */

struct keep_rule {
	uint32_t keep_days, delete_after_days; /* 0 = no rule: nothing is deleted */
};

/* A file whose time has come. */
struct keep_file {
	uint64_t first, last; /* numbers of its records */
	uint64_t written;     /* seconds since 1970: its last write, at most that of any later file */
	uint64_t stamped;     /* ... as the file itself has it: later, where a clock stood back afterwards */
	uint8_t hash[32];     /* of its last record, as the next file's first one has it */
};

/* The oldest file, if the rule lets it go: 1, 0 = it does not, or negative errno. `open` is written to; `now`: seconds since 1970. */
int keep_due(int dirfd, uint64_t open, const struct keep_rule *rule, uint64_t now, struct keep_file *ret,
	     struct err *e);
/* Takes it away; that it goes was recorded. May be called again after a failure. */
int keep_delete(int dirfd, uint64_t first, struct err *e);
/*
 * The open file is a day old, or nobody can tell because the clock was ahead when it began: a new one is to begin. After such a clock two
 * may, an hour apart, until one is closed by the right one.
 */
bool keep_turns(int dirfd, uint64_t open, uint64_t now);

#endif

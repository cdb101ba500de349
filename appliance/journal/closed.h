/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments that are no longer written: how they are packed, and when they are deleted.
 *
 * Closed segments are packed (gzip), one step at a time, so that the journal is never busy for
 * longer than one step. Journal role only.
 *
 * A packed file is written beside its segment under a temporary name, synced, unpacked again and
 * compared with the plain one. Then it gets its final name, and when that is on the disk, the plain
 * file is deleted. So whenever this is interrupted, there is one complete file of each segment; the
 * plain file is read as long as it exists. The next journal repeats or removes unfinished work. The
 * gzip header has the time of the segment's last write.
 */
#ifndef SEKISHO_JOURNAL_CLOSED_H
#define SEKISHO_JOURNAL_CLOSED_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"

#define PACK_STEP_BYTES 65536u /* bytes of the plain file in one step */

struct pack; /* a segment that is being packed */

/*
 * Makes one step. 1 = there is more to do at once; 0 = there is nothing to do; negative errno:
 * packing was given up, and the segment is unchanged. While *p is NULL, as at the start, the step
 * chooses the oldest plain segment before number `open` (0 = of all segments). The segments from
 * `open` on stay plain: the one that is being written, and sometimes closed ones before it.
 */
int pack_step(struct pack **p, int dirfd, uint64_t open, struct err *e);
/* Frees memory and descriptors; files stay as they are. */
void pack_forget(struct pack **p);
/* As pack_forget, and also deletes an unfinished packed file, even of an earlier journal. */
void pack_drop(struct pack **p, int dirfd);

/*
 * How long records are kept: which file the site's rule allows to delete, and its deletion. Journal
 * role only.
 *
 * Files are deleted whole, the oldest first, and never the open one. A file's age counts from its
 * last write: for a plain file the file's time, for a packed one the time in its header; never a
 * time in a record, since other roles set those. A new file begins each day, with or without a
 * rule. A file is deleted a day before its last write is delete_after_days old, because its first
 * record may be a day older. Nothing is deleted if that day comes before keep_days. While the disk
 * is full no new file begins.
 *
 * A clock that jumps deletes nothing. The age of a file is computed in two ways, and the smaller
 * result counts. The first is the clock, where a file counts as at least as old as every later one.
 * The second is the sum of the gaps between files, where a gap of more than a week counts as zero,
 * because a wrong clock looks the same as a box that was switched off. After such a gap, the box
 * keeps its records longer by that time.
 */

#define KEEP_DAY 86400u
#define KEEP_GAP (7u * KEEP_DAY) /* seconds; a longer one between two files counts for nothing */

struct keep_rule {
	uint32_t keep_days, delete_after_days; /* 0 = no rule: nothing is deleted */
};

/* A file that may be deleted. */
struct keep_file {
	uint64_t first, last; /* numbers of its records */
	/* seconds since 1970: its last write, or that of a later file if that is earlier */
	uint64_t written;
	/* the time of its last write in the file itself; it is later than `written` if the clock
	 * was set back afterwards */
	uint64_t stamped;
	uint8_t hash[32]; /* hash of its last record, as in the first record of the next file */
};

/* Finds the oldest file if the rule allows to delete it. 1 = found, 0 = not allowed, or negative
 * errno. `open` is the file being written; `now`: seconds since 1970. */
int keep_due(int dirfd, uint64_t open, const struct keep_rule *rule, uint64_t now, struct keep_file *ret,
	     struct err *e);
/* Deletes the file; the deletion has been recorded before. May be called again after a failure. */
int keep_delete(int dirfd, uint64_t first, struct err *e);
/*
 * Whether a new file should begin: the open file is a day old, or its age is unknown because the
 * clock was ahead when it began. In the latter case, a further file may begin an hour later.
 */
bool keep_turns(int dirfd, uint64_t open, uint64_t now);

#endif

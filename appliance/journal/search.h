/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searching the records: the index that says which files to read, and the reading.
 *
 * The index: beside each closed segment a file `index-<first seq>` with its sketch. Journal role
 * only.
 *
 * A sketch describes a segment in a few kilobytes: the times of its first and last record, the
 * severities and verdicts, and Bloom filters of names and addresses, which may report a member that
 * is not there but never miss one. So a search skips most files without reading them. A sketch is
 * made with the same code by which filter.h matches lines, so it has everything that a filter could
 * find.
 *
 * Answers do not depend on the index. It is made from the segments, one step at a time between
 * records, the newest segment first. An index that is missing, damaged, or of another segment or
 * box is ignored: the segment is read, and the index is made anew. It is made only while the disk
 * has room, and nothing waits for it. Each index has a MAC with a key that is derived from the
 * signing key, so that records cannot be hidden from searches without that key. `journal verify`
 * does not use it.
 */
#ifndef SEKISHO_JOURNAL_SEARCH_H
#define SEKISHO_JOURNAL_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/journal/chain.h"
#include "appliance/journal/filter.h"

#define SKETCH_NAMES 2048u /* bytes: with 500 names, one search in 5,000 reads the file in vain */
#define SKETCH_HOSTS 4096u /* bytes: with 2,000 addresses, one search in 400 */
#define SKETCH_MOMENT 19u  /* "2026-11-20T08:10:11" */

struct sketch {
	/* the earliest and latest time of all records; "" = no record has a time */
	char earliest[SKETCH_MOMENT + 1], latest[SKETCH_MOMENT + 1];
	/* bit n: some record has severity or verdict n */
	uint8_t severities, verdicts;
	uint8_t names[SKETCH_NAMES], hosts[SKETCH_HOSTS];
};

void sketch_add(struct sketch *s, const char *line, size_t n);

#define INDEX_KEY 32u
#define INDEX_STEP_BYTES 65536u /* bytes of lines that one step reads */

void index_key(const uint8_t secret[32], uint8_t ret[INDEX_KEY]);
/* Reads the index of the segment with records `first` to `last`. False: there is none, or it is of
 * another segment, so the segment must be read. An invalid index is deleted. */
bool index_read(int dirfd, const uint8_t key[INDEX_KEY], uint64_t first, uint64_t last, struct sketch *ret);
/* Deletes the index together with its segment. */
void index_remove(int dirfd, uint64_t first);

struct index; /* an index that is being made */

/*
 * Makes one step. 1 = there is more to do at once; 0 = all closed segments below *below have an
 * index; negative errno: the index was given up, and the call is to be repeated later. *below
 * decreases; UINT64_MAX = begin with the newest. `open`: the segment that is being written.
 */
int index_step(struct index **p, int dirfd, const uint8_t key[INDEX_KEY], uint64_t open, uint64_t *below,
	       struct err *e);
void index_forget(struct index **p);

/*
 * Reading records back out of the segments, for MSG_EVENTS and MSG_EXPLAIN. Journal role only. It
 * returns the lines of the file as they are, without repairing or judging them.
 */

/* A question that a long search asks again and again: has the asker left? */
struct journal_patience {
	bool (*over)(void *ctx);
	void *ctx;
};

/*
 * Records with numbers above `after` that match `filter` (NULL = all), oldest first, at most `max`
 * and at most some megabytes: a JSON array, a new reference. *ret_next is the number to ask after
 * next time; when it is `after`, there is nothing more. NULL when memory is out or the file cannot
 * be read, or with -ECANCELED when `p` says that the asker does not wait any more (`p` NULL: the
 * asker always waits).
 */
json_t *journal_read(struct journal *j, uint64_t after, uint32_t max, const struct line_filter *filter,
		     const struct journal_patience *p, uint64_t *ret_next, struct err *e);

#endif

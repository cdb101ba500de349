/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index: beside each closed segment a file `index-<first seq>` with its sketch. Journal role only.
 *
 * A sketch says in a few kilobytes what stands in the segment: from when to when its records were made, which severities
 * and verdicts, and sets of names and addresses that may say that something is in them which is not (Bloom filters), and
 * never the other way round. So a question skips most files without reading them. It is made of lines by the same reading
 * by which filter.h matches them: what a filter would find in a line, the sketch has.
 *
 * It is never the truth. It is made of the segments alone, an act at a time between records, the newest first; what is missing, damaged, of another
 * segment or another box's is as none: the segment is read then, and the file made anew. It is made while there is room on the disk, and not waited for.
 * Each has a MAC by a key that follows from the signing key, so that nobody without that key hides records from questions; `journal verify` needs none of it.
 */
#ifndef SEKISHO_JOURNAL_INDEX_H
#define SEKISHO_JOURNAL_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/journal/filter.h"

#define SKETCH_NAMES 2048u /* bytes: 500 names make one question of 5,000 read in vain */
#define SKETCH_HOSTS 4096u /* 2,000 addresses: one of 400 */
#define SKETCH_MOMENT 19u  /* "2026-11-20T08:10:11" */

struct sketch {
	char earliest[SKETCH_MOMENT + 1], latest[SKETCH_MOMENT + 1]; /* of all its records' times; "" = none has one */
	uint8_t severities, verdicts;				     /* a bit for each that is there */
	uint8_t names[SKETCH_NAMES], hosts[SKETCH_HOSTS];
};

void sketch_add(struct sketch *s, const char *line, size_t n);
/* False: no line of them matches. */
bool sketch_may(const struct sketch *s, const struct line_filter *f);

#define INDEX_KEY 32u
#define INDEX_STEP_BYTES 65536u /* of lines that one act reads */

void index_key(const uint8_t secret[32], uint8_t ret[INDEX_KEY]);
/* False: what the segment `first` to `last` has must be read: there is no index, or it is none of it. One that is none of ours is taken away. */
bool index_read(int dirfd, const uint8_t key[INDEX_KEY], uint64_t first, uint64_t last, struct sketch *ret);
/* With its segment. */
void index_remove(int dirfd, uint64_t first);

struct index; /* one on its way */

/*
 * One act: 1 = there is more to do at once, 0 = all closed segments below *below have one, or negative errno: what was begun is given up, and the call is to be repeated
 * later. *below moves down; UINT64_MAX = from the newest. `open`: the segment that is written to.
 */
int index_step(struct index **p, int dirfd, const uint8_t key[INDEX_KEY], uint64_t open, uint64_t *below,
	       struct err *e);
void index_forget(struct index **p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index: beside each closed segment a file `index-<first seq>` with its sketch (sketch.h). Journal role only.
 *
 * It is never the truth. It is made of the segments alone, an act at a time between records, the newest first; what is missing, damaged, of another
 * segment or another box's is as none: the segment is read then, and the file made anew. It is made while there is room on the disk, and not waited for.
 * Each has a MAC by a key that follows from the signing key, so that nobody without that key hides records from questions; `journal verify` needs none of it.
 */
#ifndef SEKISHO_JOURNAL_INDEX_H
#define SEKISHO_JOURNAL_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/journal/sketch.h"

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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed segments are packed (gzip), one step at a time, so that the journal is never busy for
 * longer than one step. Journal role only.
 *
 * A packed file is written beside its segment under a temporary name, synced, unpacked again and
 * compared with the plain one. Then it gets its final name, and when that is on the disk, the plain
 * file is deleted. So whenever this is interrupted, there is one complete file of each segment; the
 * plain file is read as long as it exists. The next journal repeats or removes unfinished work. The
 * gzip header has the time of the segment's last write.
 */
#ifndef SEKISHO_JOURNAL_PACK_H
#define SEKISHO_JOURNAL_PACK_H

#include <stdint.h>

#include "appliance/base/err.h"

#define PACK_STEP_BYTES 65536u /* bytes of the plain file in one step */

struct pack; /* a segment that is being packed */

/*
 * Makes one step. 1 = there is more to do at once; 0 = there is nothing to do; negative errno:
 * packing was given up, and the segment is unchanged. While *p is NULL, as at the start, the step
 * chooses a segment before `open`, which is the segment that is being written, or an earlier one
 * from which on segments stay plain; 0 = none.
 */
int pack_step(struct pack **p, int dirfd, uint64_t open, struct err *e);
/* Frees memory and descriptors; files stay as they are. */
void pack_forget(struct pack **p);
/* As pack_forget, and also deletes an unfinished packed file, even of an earlier journal. */
void pack_drop(struct pack **p, int dirfd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed segments are packed (gzip), one act at a time, so that whoever waits for the journal waits for one act at most.
 * Journal role only.
 *
 * A packed file is written beside its segment under a name that nobody reads, brought to the disk, unpacked again and compared
 * with the plain one; then it gets its name, and only when that is on the disk the plain one goes. So wherever this is stopped,
 * one file of each segment is read, and it is whole: the plain one as long as it is there. What a stop left half done is done
 * again or thrown away by the next journal. The gzip header has the time of the segment's last write.
 */
#ifndef SEKISHO_JOURNAL_PACK_H
#define SEKISHO_JOURNAL_PACK_H

#include <stdint.h>

#include "appliance/base/err.h"

#define PACK_STEP_BYTES 65536u /* of the plain file, in one act */

struct pack; /* one segment on its way */

/*
 * One act for the folder: 1 = there is more to do at once, 0 = nothing, or negative errno: what was begun is given up, and
 * the segment is as it was. `open` is the segment that is still written to, or an earlier one from which on they stay plain; 0 = none. It
 * matters where a segment is chosen, which is while *p is NULL; so it starts.
 */
int pack_step(struct pack **p, int dirfd, uint64_t open, struct err *e);
/* Lets go of memory and descriptors; files stay as they are. */
void pack_forget(struct pack **p);
/* ... and the room on the disk that a half-written file takes, be it one that an earlier journal left. */
void pack_drop(struct pack **p, int dirfd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's folders, and the sockets that people find there. */
#ifndef SEKISHO_SUPERVISE_FOLDERS_H
#define SEKISHO_SUPERVISE_FOLDERS_H

#include <sys/types.h>

/*
 * A folder that was there before us, open to more users than one that we make: whoever can open it can list it and hold its lock (box/netns.h), so
 * that no daemon ever starts again.
 */

enum narrow {
	NARROW_FITS, /* nobody may more than `mode` says */
	NARROW_DONE, /* ... any more */
	NARROW_WIDER, /* left as it is: another's, everybody's (sticky), of things that are not ours, or it cannot be changed */
};

/* Of the state folder `fd`, to at most `mode`. Ours is what belongs to this process's user and is empty or holds generations. */
enum narrow narrow_folder(int fd, mode_t mode);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's folders, and the sockets that people find there. */
#ifndef SEKISHO_SUPERVISE_FOLDERS_H
#define SEKISHO_SUPERVISE_FOLDERS_H

#include <stdbool.h>
#include <sys/types.h>

struct err;
struct supervisor;

/* Folders: to be called at the start, before privileges are dropped. Files that a role could not
 * read in its folder of state are set aside, and this is reported. */
void folders_tidy(struct supervisor *s);
bool give_to(int fd, uid_t uid, mode_t mode); /* a file or folder, to this user alone */

/* supervise/folders.c: opens the sockets for people; negative errno. The sockets of logins exist
 * only if their group does. */
int listen_open(struct supervisor *s, struct err *e);
void listen_end(struct supervisor *s); /* removes their files */

/* The daemon's folders, and the sockets that people find there. */

/*
 * An existing folder may be open to more users than one that the daemon makes. A user who can open
 * it can list it and hold its lock (box/netns.h), so that no daemon could start again.
 */

enum narrow {
	NARROW_FITS, /* the folder has no more rights than `mode` */
	NARROW_DONE, /* surplus rights were removed */
	/* left unchanged: it belongs to another user, is shared (sticky), has other contents, or
	 * cannot be changed */
	NARROW_WIDER,
};

/* Reduces the rights of the state folder `fd` to `mode`. It counts as ours if it belongs to the
 * user of this process, and is empty or has generations. */
enum narrow narrow_folder(int fd, mode_t mode);

#endif

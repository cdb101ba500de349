/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of leaked pass phrases (wire/leaked.h) that root has loaded, in a file of the accounts' folder that stays on the disk: a phrase is looked for by a few
 * reads. The file is held to its form and digest when it is opened, and where it is read. One that is damaged is set aside and there is none until another is
 * loaded. Another list is taken a piece at a time, so that nobody has to wait for it; until the last piece is on the disk the one before counts. Owns its descriptors.
 */
#ifndef SEKISHO_ACCOUNTS_LEAKED_H
#define SEKISHO_ACCOUNTS_LEAKED_H

#include "appliance/base/err.h"
#include "appliance/wire/leaked.h"

#define LEAKED_BY 64u /* bytes, NUL included */

struct leaked {
	int dirfd, fd; /* dirfd is borrowed; fd -1 = there is no list */
	uint64_t count, loaded;
	char by[LEAKED_BY]; /* whose order that was; "" = nobody knows any more */
	bool damaged;	    /* one was set aside, and nobody has loaded or removed one since */
	/* Another that is being taken; `in` -1 = none. */
	int in, out;
	struct leaked_head head;
	uint64_t done;
	uint8_t chain[32], last[LEAKED_PREFIX];
	uint8_t block[LEAKED_BLOCK];
};

/* *ret_damaged: it was set aside, now or by an earlier start, and there is none since. 0; a negative errno when it may be whole and cannot be looked at. */
int leaked_open(struct leaked *l, int dirfd, bool *ret_damaged, struct err *e);
/* True: this phrase is in the list. *ret_damaged: the list turned out to be damaged, and is set aside. */
bool leaked_has(struct leaked *l, const char *phrase, bool *ret_damaged);
/* A sealed memfd, of which it makes a copy of its own. 0; -EBUSY: one is being taken; -EBADMSG: it is no such list; another errno. */
int leaked_take(struct leaked *l, int memfd);
/* The next piece. 1: there are more; 0: it counts from now on, as of `wall_s`; negative errno: the one before goes on. */
int leaked_step(struct leaked *l, uint64_t wall_s);
/* Whose order the list was that counts since the last piece: kept beside it, and a file of no other list. Should that fail, nobody knows. */
void leaked_ordered_by(struct leaked *l, const char *by);
/* 0; -ENOENT: there is none; -EBUSY; another errno: it is still there. */
int leaked_remove(struct leaked *l);
void leaked_close(struct leaked *l);

#endif

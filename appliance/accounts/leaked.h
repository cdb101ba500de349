/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of leaked passphrases (wire/leaked.h) that root has loaded. It stays in a file in the
 * folder of accounts, and a phrase is searched with a few reads. Form and digest of the file are
 * checked when it is opened, and the form again where it is read. A damaged list is set aside, and
 * there is none until root loads another. A new list is read in pieces, so that nobody has to wait;
 * until its last piece is on the disk, the earlier list stays in use. Owns its descriptors.
 */
#ifndef SEKISHO_ACCOUNTS_LEAKED_H
#define SEKISHO_ACCOUNTS_LEAKED_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/leaked.h"

struct err;

#define LEAKED_BY 64u /* bytes, NUL included */

struct leaked {
	int dirfd, fd; /* dirfd is borrowed; fd -1 = there is no list */
	uint64_t count, loaded;
	char by[LEAKED_BY]; /* who loaded the list; "" = not known any more */
	/* a damaged list was set aside, and none has been loaded or removed since */
	bool damaged;
	/* The new list that is being read; `in` -1 = none. */
	int in, out;
	struct leaked_head head;
	uint64_t done;
	uint8_t chain[32], last[LEAKED_PREFIX];
	uint8_t block[LEAKED_BLOCK];
};

/* *ret_damaged: a damaged list was set aside, now or at an earlier start, and there is no list. 0;
 * a negative errno when the list may be good but cannot be read. */
int leaked_open(struct leaked *l, int dirfd, bool *ret_damaged, struct err *e);
/* Whether the phrase is in the list. *ret_damaged: the list was found damaged and set aside. */
bool leaked_has(struct leaked *l, const char *phrase, bool *ret_damaged);
/* Begins to read a list from a sealed memfd, which is duplicated. 0; -EBUSY: another list is being
 * read; -EBADMSG: the list is not valid; another errno. */
int leaked_take(struct leaked *l, int memfd);
/* Reads the next piece. 1: there are more; 0: the new list is in use, loaded at `wall_s`; negative
 * errno: the earlier list stays in use. */
int leaked_step(struct leaked *l, uint64_t wall_s);
/* Stores who ordered the list that has just come into use, in a file that is valid for this list
 * only. If that fails, the name is not known later. */
void leaked_ordered_by(struct leaked *l, const char *by);
/* 0; -ENOENT: there is no list; -EBUSY: a new list is being read; another errno: the list is still
 * there. */
int leaked_remove(struct leaked *l);
void leaked_close(struct leaked *l);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room on the disk that is kept for grave records: the file `reserve`, of blocks that are allocated and hold nothing. When the disk
 * takes no more it is given back a piece at a time, and built again when there is room. Journal role only.
 *
 * Where the file system has no way to allocate without writing there is none.
 */
#ifndef SEKISHO_JOURNAL_RESERVE_H
#define SEKISHO_JOURNAL_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"

#define RESERVE_BYTES (1u << 20) /* some 1,400 records */
#define RESERVE_SHARE 64u	 /* ... at most this part of the file system */
#define RESERVE_PIECE 4096u	 /* bytes given back at once: whoever writes to the same disk may be first */

/* Zero bytes: there is none, and none is wanted. */
struct reserve {
	int dirfd;     /* borrowed */
	int fd;	       /* -1: not open */
	bool wanted;   /* the file system can have one */
	uint64_t size; /* bytes that are allocated */
	uint64_t whole;
};

/* Wants one; what the file has stays allocated. reserve_build makes it whole. */
void reserve_begin(int dirfd, struct reserve *r);
void reserve_end(struct reserve *r);
/* 0 = it is whole, or there can be none; negative errno: it is as it was. */
int reserve_build(struct reserve *r, struct err *e);
/* Gives a piece back. False: nothing is left. */
bool reserve_release(struct reserve *r);

#endif

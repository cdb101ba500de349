/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room on the disk that is reserved for serious records: the file `reserve`, whose blocks are
 * allocated but unused. When the disk is full, the reserve is given back piece by piece; it is
 * built again when there is room. Journal role only.
 *
 * There is no reserve if the file system cannot allocate blocks without writing.
 */
#ifndef SEKISHO_JOURNAL_RESERVE_H
#define SEKISHO_JOURNAL_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

struct err;

#define RESERVE_BYTES (1u << 20) /* bytes; about 1,400 records */
#define RESERVE_SHARE 64u	 /* the reserve is at most 1/64 of the file system */
/* bytes given back at a time, because other programs may use the room first */
#define RESERVE_PIECE 4096u

/* All zeros: there is no reserve, and none is wanted. */
struct reserve {
	int dirfd;     /* borrowed */
	int fd;	       /* -1: not open */
	bool wanted;   /* a reserve is wanted and possible */
	uint64_t size; /* bytes that are allocated */
	uint64_t whole;
};

/* Begins a reserve; blocks that the file has stay allocated. reserve_build completes it. */
void reserve_begin(int dirfd, struct reserve *r);
void reserve_end(struct reserve *r);
/* Completes the reserve. 0 = it is complete, or not possible; negative errno: it is unchanged. */
int reserve_build(struct reserve *r, struct err *e);
/* Gives a piece back. False: nothing is left. */
bool reserve_release(struct reserve *r);

#endif

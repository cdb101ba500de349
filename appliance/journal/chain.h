/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record file: lines of JSON in segments `events-<first seq>.log` (packed once they are closed: pack.h), each line chained to the one before it by
 * "prev" and "hash" (SHA-256 over the previous hash and the line without its own hash). Journal role only, sole writer.
 *
 * Beside the segments lies `head`: number and hash of a line that was surely on the disk. A log that ends before its
 * head was shortened. Nothing here is ever rewritten but the head; a torn end of a segment is moved aside, and lost only where the disk has no
 * room for it at all.
 */
#ifndef SEKISHO_JOURNAL_CHAIN_H
#define SEKISHO_JOURNAL_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"

#define JOURNAL_SEGMENT_BYTES (16u << 20) /* a new segment begins behind this */
#define JOURNAL_LINE_MAX 8192u
#define JOURNAL_HASH_MARK ",\"hash\":\""
#define JOURNAL_TAIL 76u /* bytes of ,"hash":"<64>"} and newline */
#define JOURNAL_MARK_EACH 256u
#define JOURNAL_SEQ_MOST                                                                                               \
	1000000000000000000ull /* no head and no name says more: numbers go on behind it, and stay whole in JSON */

struct journal_mark {
	uint64_t seq;
	uint64_t offset;
};

/* Start from journal_open. */
struct journal {
	int dirfd; /* borrowed */
	int fd, head_fd;
	uint64_t first; /* number of the current segment's first line; 0 = none is open */
	uint64_t size;	/* its bytes */
	uint64_t next_seq;
	uint64_t last_wall_ns;	    /* of the newest line, 0 = none */
	uint8_t hash[32];	    /* of the newest line; zeros before the first */
	bool dirty;		    /* something is not synced */
	struct journal_mark *marks; /* every JOURNAL_MARK_EACH-th line of the current segment */
	size_t n_marks, room_marks;
	const uint8_t *index_key; /* of closed segments' sketches (index.h); NULL = none is read; borrowed */
};

/* What journal_open found amiss. */
struct journal_recovery {
	uint64_t torn_bytes; /* taken from the end of the last segment, 0 = none */
	bool torn_gone;	     /* ... and could not be kept */
	uint64_t missing;    /* lines that the head knows and the segments do not have, 0 = none */
	bool headless;	     /* there are lines and no head: whether any are gone cannot be told */
	bool another_head;   /* the head is none of ours, or knows another line under that number */
	bool empty;	     /* neither lines nor a head: a new journal, or one that was taken away whole */
};

/* 0, or negative errno; -ENOSPC or -EDQUOT: there is no room to keep a torn end, and nothing was touched. */
int journal_open(int dirfd, struct journal *j, struct journal_recovery *ret, struct err *e);
/* The same where room cannot be had: a torn end goes that is shorter than a line, and so was never one. */
int journal_open_without_room(int dirfd, struct journal *j, struct journal_recovery *ret, struct err *e);
void journal_close(struct journal *j);
/*
 * Adds "seq" in front, "prev" and "hash" behind, and writes one line. Takes the reference. 0, or negative errno with the
 * file as it was: the same record may be tried again.
 */
int journal_append(struct journal *j, json_t *record, struct err *e);
/* The next line begins a new segment. */
void journal_turn(struct journal *j);
/* Everything written so far is on the disk, then the head. */
int journal_sync(struct journal *j, struct err *e);

/* ---- shared with journal/read.c and journal/verify.c --------------------------------------------------------------- */

void journal_segment_name(uint64_t first, char out[48]);
bool journal_segment_parse(const char *name, uint64_t *ret);
/*
 * Checks one line (without its newline) against the hash before it; gives its own hash and number. Pure.
 * JOURNAL_LINE_OK, or what is wrong with it.
 */
enum journal_line { JOURNAL_LINE_OK, JOURNAL_LINE_FORM, JOURNAL_LINE_HASH, JOURNAL_LINE_PREV };
enum journal_line journal_line_check(const char *line, size_t n, const uint8_t prev[32], uint8_t ret_hash[32],
				     uint64_t *ret_seq);
/* The hash that it says the line before it has. False: it is no line. */
bool journal_line_prev(const char *line, size_t n, uint8_t ret[32]);
/* "<seq> <hash>\n" */
bool journal_head_parse(const char *text, size_t n, uint64_t *ret_seq, uint8_t ret_hash[32]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record file: lines of JSON in segments `events-<first seq>.log` (packed once they are closed:
 * closed.h), each line chained to the one before it by "prev" and "hash" (SHA-256 over the previous
 * hash and the line without its own hash). Journal role only, sole writer.
 *
 * Beside the segments is the file `head`: number and hash of a line that was synced to the disk. If
 * the log ends before that line, it was shortened. Only the head is ever rewritten. A torn end of a
 * segment (an incomplete last line) is moved to another file, and is lost only if the disk has no
 * room for it.
 */
#ifndef SEKISHO_JOURNAL_CHAIN_H
#define SEKISHO_JOURNAL_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"

#define JOURNAL_SEGMENT_BYTES (16u << 20) /* a new segment begins after so many bytes */
#define JOURNAL_LINE_MAX 8192u
#define JOURNAL_HASH_MARK ",\"hash\":\""
#define JOURNAL_TAIL 76u /* bytes of `,"hash":"<64>"}` and the newline */
#define JOURNAL_MARK_EACH 256u
/* largest number in a head or a file name, so that all further numbers are exact in JSON */
#define JOURNAL_SEQ_MOST 1000000000000000000ull

struct journal_mark {
	uint64_t seq;
	uint64_t offset;
};

/* Made by journal_open. */
struct journal {
	int dirfd; /* borrowed */
	int fd, head_fd;
	uint64_t first; /* number of the current segment's first line; 0 = none is open */
	uint64_t size;	/* bytes of the current segment */
	uint64_t next_seq;
	uint64_t last_wall_ns;	    /* time of the newest line, 0 = none */
	uint8_t hash[32];	    /* hash of the newest line; zeros before the first */
	bool dirty;		    /* something is not synced yet */
	struct journal_mark *marks; /* every JOURNAL_MARK_EACH-th line of the current segment */
	size_t n_marks, room_marks;
	/* key of the sketches of closed segments (search.h); NULL = sketches are not read;
	 * borrowed */
	const uint8_t *index_key;
};

/* Faults that journal_open found. */
struct journal_recovery {
	/* bytes of an incomplete line that were removed from the end of the last segment, 0 =
	 * none */
	uint64_t torn_bytes;
	bool torn_gone;	  /* the torn bytes could not be stored elsewhere */
	uint64_t missing; /* lines that the head knows and the segments do not have, 0 = none */
	/* there are lines but no head, so it is not known whether lines are gone */
	bool headless;
	/* the head is invalid, or has another hash for the line of that number */
	bool another_head;
	/* there are neither lines nor a head: the journal is new, or was deleted completely */
	bool empty;
};

/* 0, or negative errno. -ENOSPC or -EDQUOT: there is no room for a torn end; nothing was
 * changed. */
int journal_open(int dirfd, struct journal *j, struct journal_recovery *ret, struct err *e);
/* As journal_open, for a full disk: a torn end that finds no room elsewhere is deleted if it is
 * less than a line, because it was never a record. */
int journal_open_without_room(int dirfd, struct journal *j, struct journal_recovery *ret, struct err *e);
void journal_close(struct journal *j);
/*
 * Adds "seq" at the beginning, "prev" and "hash" at the end, and writes one line. Takes the
 * reference. 0, or negative errno; the file is then unchanged, and the same record may be tried
 * again.
 */
int journal_append(struct journal *j, json_t *record, struct err *e);
/* The next line begins a new segment. */
void journal_turn(struct journal *j);
/* Syncs everything written so far, and then writes the head. */
int journal_sync(struct journal *j, struct err *e);

/* ---- shared with journal/search.c and journal/verify.c --------------------------------------- */

void journal_segment_name(uint64_t first, char out[48]);
bool journal_segment_parse(const char *name, uint64_t *ret);
/*
 * Checks one line (without its newline) against the hash of the line before it, and returns its own
 * hash and number. Pure. JOURNAL_LINE_OK, or what is wrong with it.
 */
enum journal_line { JOURNAL_LINE_OK, JOURNAL_LINE_FORM, JOURNAL_LINE_HASH, JOURNAL_LINE_PREV };
enum journal_line journal_line_check(const char *line, size_t n, const uint8_t prev[32], uint8_t ret_hash[32],
				     uint64_t *ret_seq);
/* The member "prev" of a line: the hash of the line before it. False: it is not a valid line. */
bool journal_line_prev(const char *line, size_t n, uint8_t ret[32]);
/* Parses the text of a head, "<seq> <hash>\n". */
bool journal_head_parse(const char *text, size_t n, uint64_t *ret_seq, uint8_t ret_hash[32]);

#endif

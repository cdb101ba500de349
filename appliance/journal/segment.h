/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a journal, for code that searches records, checks them or continues writing:
 * `events-<first seq>.log`, or once it is closed `events-<first seq>.log.gz`, the same bytes in the
 * gzip form (RFC 1952) that any machine unpacks. Both may exist for a moment while one replaces the
 * other (closed.h); then the plain one is read.
 *
 * Reads only. A packed file is not trusted: its unpacked size is bounded and it is read in pieces,
 * and anything but exactly one valid gzip member gives -EBADMSG at the position where the fault
 * is found.
 */
#ifndef SEKISHO_JOURNAL_SEGMENT_H
#define SEKISHO_JOURNAL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/err.h"
#include "appliance/journal/chain.h"

/* No segment that a journal writes is longer: its last line begins before JOURNAL_SEGMENT_BYTES. */
#define SEGMENT_MOST (JOURNAL_SEGMENT_BYTES + JOURNAL_LINE_MAX)

struct segment_file {
	uint64_t first;
	bool plain, packed; /* which files of the segment exist: one, or both */
};

/* Lists all segments of a folder, each once, in ascending order of their numbers. 0 or negative
 * errno; *ret is malloc'd. */
int segment_list(int dirfd, struct segment_file **ret, size_t *ret_n, struct err *e);
/* The time of the last write to the segment, in seconds since 1970: from the plain file's own time,
 * or from the header of the gzip file. */
int segment_written(int dirfd, const struct segment_file *file, uint64_t *ret, struct err *e);
/* The time of the segment's first record, in seconds since 1970; 0 = it cannot be read. */
void segment_began(int dirfd, uint64_t first, uint64_t *ret);
/* Size of the segment's plain file in bytes; 0 = there is none. */
uint64_t segment_plain_bytes(int dirfd, const struct segment_file *file);
void segment_packed_name(uint64_t first, char out[48]);

enum segment_form { SEGMENT_EITHER, SEGMENT_PLAIN, SEGMENT_PACKED };

struct segment;

/* Opens a segment for reading, a plain one from `offset` on. To be freed with segment_close. */
int segment_open(int dirfd, uint64_t first, enum segment_form form, uint64_t offset, struct segment **ret,
		 struct err *e);
/* As segment_open, for an open file of packed bytes that has no name of a segment yet. Takes the
 * descriptor. */
int segment_open_packed(int fd, struct segment **ret, struct err *e);
void segment_close(struct segment *s);
/*
 * Reads the next line. 1: *ret has *ret_n bytes without the newline, valid until the next call; 0 =
 * the end; or negative errno. *ret_whole: the line ends with a newline. A line longer than any that
 * a journal writes is returned empty (n = 0).
 */
int segment_line(struct segment *s, const char **ret, size_t *ret_n, bool *ret_whole);
/*
 * Compares the two segments from their present positions on, at most `most` bytes. 0 = equal to the
 * end of both; 1 = equal so far, call again; -EBADMSG = different; or another negative errno.
 */
int segment_same(struct segment *a, struct segment *b, uint64_t most);
/* Reads a whole segment into *ret, malloc'd and followed by a NUL. 0 or negative errno. If packed
 * bytes are damaged: the part before the damage, and 0. */
int segment_whole(int dirfd, uint64_t first, char **ret, size_t *ret_n, struct err *e);

#endif

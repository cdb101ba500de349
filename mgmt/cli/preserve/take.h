/* SPDX-License-Identifier: Apache-2.0 */
/* Collects the contents of a folder of evidence from their places. */
#ifndef SEKISHO_MGMT_CLI_PRESERVE_TAKE_H
#define SEKISHO_MGMT_CLI_PRESERVE_TAKE_H

#include <stdint.h>

#include "mgmt/cli/cli.h"

/*
 * A new folder of evidence. Each file is written once, with the SHA-256 of its contents; missing
 * files are listed with the reason. Files do not depend on each other, so a failure (a full disk,
 * an unreadable record) only costs one file. Disk space for the list of files is reserved at the
 * start, so what was copied can always be sealed.
 */

#define BUNDLE_LIST "SHA256SUMS"

struct bundle;

/* Makes the folder, which must not exist yet. NULL: errno has the reason. */
struct bundle *bundle_new(const char *path);
void bundle_free(struct bundle *b);

/* Writes a file; `name` may begin with one folder, as in "journal/head". False: it could not be
 * written, and is listed as missing. */
bool bundle_put(struct bundle *b, const char *name, const void *p, size_t n);
/* Writes indented JSON, readable for people as well. Takes the reference; NULL counts as
 * missing. */
bool bundle_put_json(struct bundle *b, const char *name, json_t *j);
/* Lists a file as missing, with the reason in both languages. `code`: an errno. */
void bundle_miss(struct bundle *b, const char *name, enum message why);
void bundle_miss_code(struct bundle *b, const char *name, int code);

/* [{"file","bytes","sha256"}] and [{"file","en","ja"}]: borrowed. */
const json_t *bundle_files(const struct bundle *b);
const json_t *bundle_missing(const struct bundle *b);
uint64_t bundle_bytes(const struct bundle *b);

/* Writes the list of files in the form of sha256sum, and returns the list's own SHA-256. False:
 * errno has the reason. */
bool bundle_close(struct bundle *b, uint8_t ret_digest[32]);
/* Writes a file that is not in the list, for results that are made from the list. */
bool bundle_beside(struct bundle *b, const char *name, const void *p, size_t n);

/* Reads an open file from its beginning, and closes it: 0, or an errno. Whoever opened the file has
 * checked that it is ours and no link; its size is checked here. */
int take_read(int fd, uint8_t **ret, size_t *ret_n);
/* Writes and syncs a new file: 0, or an errno. A file that could not be written completely is
 * removed. */
int take_write(int dirfd, const char *name, const uint8_t *p, size_t n);
/* The length of `p` without a last line that is still being written. */
size_t take_whole_lines(const uint8_t *p, size_t n);
/* Writes the file name of a segment that the box handed out. True: the segment is packed, so its
 * contents are not lines of text. */
bool take_segment_name(uint64_t first, const uint8_t *p, size_t n, char ret[48]);
/* Whole seconds until a moment of the monotonic clock; at least one, for a question. */
unsigned take_seconds(uint64_t until_ns);

/*
 * Copies the record folder, newest files first, until the moment `until_ns` of the monotonic clock.
 * Damaged files are copied as far as they can be read. The contents are not interpreted here; that
 * is done on the copy.
 */
void take_records(struct bundle *b, const char *folder, uint64_t until_ns);
/* As take_records, for a caller without root rights: the files that the box hands out to his
 * account. */
void take_handed_records(struct bundle *b, struct cli *c, uint64_t until_ns);
/* As take_generations, for a caller without root rights: copies the texts of the stored policies.
 * Their sealed files are listed as missing. */
void take_handed_policies(struct bundle *b, struct cli *c, uint64_t until_ns);
/* Copies the stored policies in their sealed form from the folder beside the records. */
void take_generations(struct bundle *b, const char *records, uint64_t until_ns);

#endif

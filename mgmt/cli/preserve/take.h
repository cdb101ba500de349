/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into a folder of evidence, each from where it lies. */
#ifndef SEKISHO_MGMT_CLI_PRESERVE_TAKE_H
#define SEKISHO_MGMT_CLI_PRESERVE_TAKE_H

#include <stdint.h>

#include "mgmt/cli/cli.h"

/*
 * A new folder of evidence: files that are written once, each with the SHA-256 of what was written,
 * and what should be there and is not, with why. Nothing in it depends on anything else, so that
 * whatever fails (a full disk, a record that cannot be read) costs that one file. The list of files
 * has its place on the disk from the beginning: what was copied can always be sealed.
 */

#define BUNDLE_LIST "SHA256SUMS"

struct bundle;

/* Makes the folder, which must not be there. NULL: errno says why. */
struct bundle *bundle_new(const char *path);
void bundle_free(struct bundle *b);

/* `name` may begin with one folder, "journal/head". False: it is among what is missing now. */
bool bundle_put(struct bundle *b, const char *name, const void *p, size_t n);
/* As text that people can read as well. Takes the reference; NULL counts as missing. */
bool bundle_put_json(struct bundle *b, const char *name, json_t *j);
/* Said to be missing, in both languages; `code`: an errno. */
void bundle_miss(struct bundle *b, const char *name, enum message why);
void bundle_miss_code(struct bundle *b, const char *name, int code);
/* Bytes that may still be taken of this disk without taking what the box itself needs for
 * its records. */
uint64_t bundle_room(const struct bundle *b);

/* [{"file","bytes","sha256"}] and [{"file","en","ja"}]: borrowed. */
const json_t *bundle_files(const struct bundle *b);
const json_t *bundle_missing(const struct bundle *b);
uint64_t bundle_bytes(const struct bundle *b);

/* Writes the list of files, as sha256sum reads it, and its own SHA-256. False: errno says why. */
bool bundle_close(struct bundle *b, uint8_t ret_digest[32]);
/* Beside the list, and not in it: what is made of the list. */
bool bundle_beside(struct bundle *b, const char *name, const void *p, size_t n);

/*
 * The record folder, the newest first, up to the moment `until_ns` of the monotonic clock; where it
 * is damaged what there is of it. Nothing of it is read as records: that is for whoever looks at
 * the copy.
 */
void take_records(struct bundle *b, const char *folder, uint64_t until_ns);
/* The same for whoever is no root: what the box hands him, by what his account may. */
void take_handed_records(struct bundle *b, struct cli *c, uint64_t until_ns);
/* ... and of the policies their texts; the sealed files are named as missing. */
void take_handed_policies(struct bundle *b, struct cli *c, uint64_t until_ns);
/* The policies that are kept, sealed as they lie beside the records. */
void take_generations(struct bundle *b, const char *records, uint64_t until_ns);

#endif

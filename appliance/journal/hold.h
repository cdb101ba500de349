/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Legal holds: spans of time whose records are not deleted, neither for age nor for room, until a
 * person lifts the hold. Journal role only.
 *
 * They are stored in the file `holds` beside the records, and in a copy beside the signing key.
 * Both are replaced as a whole, the one beside the records first. A damaged file never leads to
 * deletion: if one of the two cannot be read, or only the copy exists, a hold on all records is
 * added, which lasts until a person lifts it.
 *
 * Files are deleted from the oldest on, so that the remaining chain is whole: files younger than a
 * held file stay, too.
 */
#ifndef SEKISHO_JOURNAL_HOLD_H
#define SEKISHO_JOURNAL_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/wire/said.h"

#define HOLDS_MOST 32u
#define HOLD_FOLDERS 2u
/* seconds: a file that ends or begins so near to a held span is held as well */
#define HOLD_MARGIN 86400u

struct hold {
	uint32_t number;
	uint64_t from, until; /* seconds since 1970, both inclusive; `until` HOLD_OPEN: no end */
	uint64_t placed;      /* seconds since 1970 */
	char by[USER_BY];     /* the login that ordered it; "" = the journal itself */
	char person[HOLD_PERSON], reason[HOLD_REASON + 1];
};

/* Start from zero bytes. */
struct holds {
	struct hold list[HOLDS_MOST];
	size_t n;
	uint32_t last; /* the highest number that has been given */
};

/*
 * Reads the files of the folders, the folder of the records first. True: a file was damaged, or the
 * first one was missing, so all records are held. The hold on all records is not saved yet, and the
 * damaged file is still in its folder.
 */
bool holds_load(const int *folders, size_t n, struct holds *ret);
/* Copies damaged files to `holds.damaged`, if that is possible, and writes `h` to all folders. */
int holds_save(const int *folders, size_t n, const struct holds *h, struct err *e);
/* A new hold with the next number; NULL = there are too many. The caller saves. */
struct hold *holds_place(struct holds *h);
/* False: there is no such hold. */
bool holds_lift(struct holds *h, uint32_t number);
const struct hold *holds_find(const struct holds *h, uint32_t number);
/* A hold that covers records between two moments; NULL = there is none. */
const struct hold *holds_cover(const struct holds *h, uint64_t from, uint64_t until);
json_t *holds_json(const struct holds *h);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Legal holds: spans of time whose records are not deleted, neither for age nor for room, until somebody lifts the hold. Journal role only.
 *
 * They stand in the file `holds`, beside the records and again beside the signing key, written whole or not at all, the one beside the records first. Whatever
 * is wrong with either is read as more that is held, never as less: a copy that cannot be read, or is gone while the other is there,
 * gives a hold on everything, which only a person lifts.
 *
 * Files go from the oldest on, so that the chain of those that are left is whole: what is younger than a held file stays with it.
 */
#ifndef SEKISHO_JOURNAL_HOLD_H
#define SEKISHO_JOURNAL_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

#define HOLDS_MOST 32u
#define HOLD_FOLDERS 2u
#define HOLD_MARGIN 86400u /* seconds: a file that ends or begins so near to a held span is held too */

struct hold {
	uint32_t number;
	uint64_t from, until; /* seconds since 1970, both within; until HOLD_OPEN: no end */
	uint64_t placed;      /* seconds since 1970 */
	char by[USER_BY];     /* the login that ordered it; "" = the journal itself */
	char person[HOLD_PERSON], reason[HOLD_REASON + 1];
};

/* Start from zero bytes. */
struct holds {
	struct hold list[HOLDS_MOST];
	size_t n;
	uint32_t last; /* the number that was given last */
};

/*
 * What the folders have, the records' own first. True: something was wrong with it, and everything is held. That is then not saved yet, and what could not
 * be read still stands there.
 */
bool holds_load(const int *folders, size_t n, struct holds *ret);
/* What stands under the name in any of them and cannot be read becomes `holds.damaged`, and then `h` is written to all. */
int holds_save(const int *folders, size_t n, const struct holds *h, struct err *e);
/* The next number; NULL = there are too many. The caller saves. */
struct hold *holds_place(struct holds *h);
/* False: there is no such one. */
bool holds_lift(struct holds *h, uint32_t number);
const struct hold *holds_find(const struct holds *h, uint32_t number);
/* One that holds what was recorded between two moments; NULL = none does. */
const struct hold *holds_cover(const struct holds *h, uint64_t from, uint64_t until);
json_t *holds_json(const struct holds *h);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the difference: differ.c finds where conduits of two policies overlap,
 * differ_place.c what differs at such a place, row_sets.c whether rows allow the same. No one else
 * includes it. */
#ifndef SEKISHO_POLICY_SPACE_DIFFER_PLACE_H
#define SEKISHO_POLICY_SPACE_DIFFER_PLACE_H

#include "appliance/base/arena.h"
#include "appliance/wire/commands.h"
#include "policy/space/differ.h"

/* One service of one conduit of one of the two policies. */
struct differ_pair {
	unsigned side; /* 0 the old one, 1 the new one */
	bool wanted;
	const struct model *m;
	const struct model_conduit *conduit;
	const struct model_service *service;
};

/* The sentences about one place, by number. */
struct differ_found {
	uint32_t *said;
	uint32_t n;
};

struct differ_sentences;

/* Texts in `a`, all else in `scratch`; NULL without memory. */
struct differ_sentences *differ_sentences_new(struct arena *a, struct arena *scratch);
/* Finds what differs where exactly these pairs overlap, at every moment from `now` on. False: out
 * of memory. */
bool differ_find(struct differ_sentences *s, const struct differ_pair *pairs, const uint32_t *tags, size_t n,
		 uint64_t now, struct differ_found *ret);
/* Whether two windows are open at the same moments, by what the policies say. NULL: at any hour. */
bool differ_same_hours(const struct model *ma, const struct window *a, const struct model *mb, const struct window *b);
/* The i-th sentence, without its places. */
const struct differ_line *differ_sentence(const struct differ_sentences *s, uint32_t i);
/*
 * Whether the rows `b` of one policy allow all that the rows `a` of another one allow. The result
 * does not depend on how rows are written: a row that is cut in two, a row inside another one, or a
 * key without effect on a function makes no difference. One exception: all operations of one
 * request have to be allowed by one row (wire/evaluate.h), so adjacent addresses in two rows allow
 * less than in one. Where this is not certain, the answer is no. Pure; scratch memory is the
 * arena's.
 */

struct row_set {
	const struct command_table *const *tables; /* one for each row */
	const struct command_row *const *rows;
	size_t n;
	bool whole; /* the whole protocol, including requests that cannot be parsed */
};

/* ret_missing[i]: `a` allows something of function i of the vocabulary that `b` does not.
 * ret_missing[v->n_functions]: the same for functions without a name; *ret_code is the lowest such
 * code. True: nothing is missing. False also when memory is out. */
bool row_set_within(const struct row_set *a, const struct row_set *b, const struct vocabulary *v, struct arena *scratch,
		    bool *ret_missing, uint32_t *ret_code);

#endif

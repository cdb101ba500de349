/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the difference: differ.c finds where conduits of two policies meet, this says what differs there. No one else
 * includes it. */
#ifndef SEKISHO_POLICY_SPACE_DIFFER_SAID_H
#define SEKISHO_POLICY_SPACE_DIFFER_SAID_H

#include "appliance/base/arena.h"
#include "policy/space/differ.h"

/* One promise of one conduit of one of the policies. */
struct differ_pair {
	unsigned side; /* 0 the old one, 1 the new one */
	bool wanted;
	const struct model *m;
	const struct model_conduit *conduit;
	const struct model_service *service;
};

#define DIFFER_FOUND 24u /* of one place at all moments; what is more is not said */

struct differ_found {
	uint32_t said[DIFFER_FOUND];
	uint32_t n;
};

struct differ_said;

/* Texts in `a`, all else in `scratch`; NULL without memory. */
struct differ_said *differ_said_new(struct arena *a, struct arena *scratch);
/* What differs where just these pairs meet, at every moment from `now` on. False: out of memory. */
bool differ_find(struct differ_said *s, const struct differ_pair *pairs, const uint32_t *tags, size_t n, uint64_t now,
		 struct differ_found *ret);
/* The sentence, without its places. */
const struct differ_line *differ_sentence(const struct differ_said *s, uint32_t i);
/* They are the same, but for what people read. */
bool differ_same_conduit(const struct model *ma, const struct model_conduit *a, const struct model *mb,
			 const struct model_conduit *b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks over chains of conduits, by the graph of the proof (prove.c): from where something can be done to an end, and what can be
 * reached from one. As there, any permission makes an earlier hop, walks go from zone to zone, and nobody goes on from an asset
 * that a `chain_break` names. A walk does not come back to the zone of its end: who is there needs no box. Pure; all memory is the caller's arena, which has failed where nothing is returned for want of it.
 */
#ifndef SEKISHO_POLICY_SPACE_WALKS_H
#define SEKISHO_POLICY_SPACE_WALKS_H

#include "policy/space/asked.h"

struct walk {
	const struct model_conduit **hops;
	size_t n_hops;
	struct asked_line last; /* what the last hop says to the question */
	bool beside;		/* not from the end itself, but from its neighbours, whom it reaches without the box */
};

/*
 * Who may do what is asked to q->to: a walk for each conduit by which one may begin, the shortest with it, short ones first.
 * q->from is not read.
 */
size_t walks_to(const struct model *m, const struct asked *q, struct arena *a, struct walk **ret);
/* What these ends reach: a walk for each conduit that one may end with; `last` is what lets anything by. */
size_t walks_from(const struct model *m, const struct asked_end *from, size_t n, uint64_t at, struct arena *a,
		  struct walk **ret);

#endif

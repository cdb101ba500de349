/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks over chains of conduits, by the graph of the proof (prove.c): from where an end can be
 * reached to do something, and what can be reached from an end. As in a proof, any permission is
 * enough for an earlier hop, walks go from zone to zone, and no walk goes on from an asset that a
 * `chain_break` names. A walk does not return to the zone of its end, because within a zone no
 * packet crosses the box. Pure; allocates in the caller's arena, whose failure flag is set when a
 * result is missing for want of memory.
 */
#ifndef SEKISHO_POLICY_SPACE_WALKS_H
#define SEKISHO_POLICY_SPACE_WALKS_H

#include "policy/space/asked.h"

struct walk {
	const struct model_conduit **hops;
	size_t n_hops;
	struct asked_line last; /* what the last hop says to the question */
	/* not from the end itself, but from its neighbours, whom it reaches without the box */
	bool beside;
};

/*
 * Who may do what is asked to q->to: a walk for each conduit by which one may begin, the shortest
 * with it, short ones first. q->from is not read.
 */
size_t walks_to(const struct model *m, const struct asked *q, struct arena *a, struct walk **ret);
/* What these ends reach: a walk for each conduit that one may end with; `last` is what lets
 * anything by. */
size_t walks_from(const struct model *m, const struct asked_end *from, size_t n, uint64_t at, struct arena *a,
		  struct walk **ret);

#endif

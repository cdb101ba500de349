/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks over chains of conduits, by the graph of the proof (prove.c): who can reach an end to do
 * something there, and what can be reached from an end. As in a proof, any permission is enough for
 * an earlier hop, walks go from zone to zone, and no walk goes on from an asset that a
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
	struct asked_line last; /* the answer of the last hop to the question */
	/* the walk starts at neighbours of the end in its zone, which the end reaches without the
	 * box */
	bool beside;
};

/*
 * Finds who may do what is asked to q->to: for each conduit with which a walk can begin, the
 * shortest walk. Short walks come first. q->from is not read.
 */
size_t walks_to(const struct model *m, const struct asked *q, struct arena *a, struct walk **ret);
/* Finds what these ends reach: for each conduit with which a walk can end, the shortest walk.
 * `last` is the row that lets most pass. */
size_t walks_from(const struct model *m, const struct asked_end *from, size_t n, uint64_t at, struct arena *a,
		  struct walk **ret);

#endif

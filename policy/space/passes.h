/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of the proof: prove.c walks from zone to zone, passes.c says what one conduit
 * lets pass, walks.c finds all walks at once. No one else includes this.
 */
#ifndef SEKISHO_POLICY_SPACE_PASSES_H
#define SEKISHO_POLICY_SPACE_PASSES_H

#include "policy/space/cells.h"
#include "policy/space/prove.h"

/* What a `never` may name: each set of command words, and any permission at all. */
#define WANTS (CLASS_ALL + 2u)
#define WAYS 4u /* enum unattended */
#define UNASKED UINT32_MAX
#define NOBODY (UINT32_MAX - 1u)

/* All conduits from one zone to another, and what has been found out about them: every statement
 * asks the same. */
struct hop {
	uint32_t from, to; /* zones */
	uint32_t first, n; /* in proof.sorted */
	uint32_t leads;	   /* the first by which a walk may go on, or one of the above */
	/* [WANTS * WAYS]: the first that carries what is forbidden; NULL = never asked */
	uint32_t *breaker;
};

struct proof {
	const struct model *m;
	struct arena *a; /* the caller's, for what is found */
	struct counterexample *list;
	size_t n, room;
	struct arena *work; /* of all below but the cells: freed with the proof */
	/* by zone: the conduit by which the present walk came there */
	const struct model_conduit **via;
	uint32_t *queue;  /* zones that it has reached */
	uint32_t *sorted; /* conduits by from, to, index */
	struct hop *hops; /* by from, then by their first conduit */
	size_t n_hops;
	uint32_t *first_hop;	   /* by zone; one more at the end */
	struct arena *scratch;	   /* of the cells, made when they are first asked */
	const struct cells *cells; /* NULL: not made yet, or too many */
	uint32_t *pair_at;	   /* by conduit: its first pair in the cells */
	/* by pair: the first cell in which it passes the unjudged, + 1; NULL = not asked yet */
	uint32_t *decided[WAYS];
	uint32_t *decided_hosts; /* the same between the hosts of one statement, in one way */
	const struct model_never *hosts_of;
	enum unattended hosts_way;
	enum unattended unattended;	 /* what is tried */
	const bool *breaks_off;		 /* by number: those that do not count; NULL = none */
	const struct model_never *asked; /* whose answer_only holds for what is known of hops */
	const bool *answers_off;	 /* the same of its services */
};

/* It is about hosts, and not about whole zones: what is known of hops says nothing of it. */
static inline bool never_of_hosts(const struct model_never *never)
{
	return never->sources.n > 0 || never->destinations.n > 0;
}

/* The graph of zones. False without memory; proof_end in both cases. */
bool proof_begin(struct proof *p, const struct model *m, struct arena *a);
/* Without memory nothing is proved: the caller's arena says so, whatever else is returned. */
void proof_end(struct proof *p, struct arena *a);
/* The first conduit of this hop by which a walk may go on, or NULL. */
const struct model_conduit *hop_leading(struct proof *p, struct hop *h);
/* In force now or later, able to let anything through, and between interfaces. */
bool conduit_matters(const struct proof *p, const struct model_conduit *c);
/* Some packet crosses by this conduit to an address from where a walk may go on. */
bool conduit_leads_on(const struct proof *p, const struct model_conduit *c);
/* The forbidden packet of a last hop by this conduit. */
bool conduit_breaks(struct proof *p, const struct model_conduit *c, const struct model_never *never,
		    struct counterexample *ret);

#endif

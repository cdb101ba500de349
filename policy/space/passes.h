/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of the proof: prove.c walks from zone to zone, passes.c says what one conduit
 * lets pass, walks.c finds all walks at once. No one else includes this.
 */
#ifndef SEKISHO_POLICY_SPACE_PASSES_H
#define SEKISHO_POLICY_SPACE_PASSES_H

#include "policy/space/cells.h"
#include "policy/space/prove.h"

/* What a `never` can forbid: one number for each set of command words, and the last one for any
 * permission at all. */
#define WANTS (CLASS_ALL + 2u)
#define WAYS 4u /* enum unattended */
#define UNASKED UINT32_MAX
#define NOBODY (UINT32_MAX - 1u)

/* All conduits from one zone to another, and what is known about them. It is kept here to be
 * computed only once for all statements. */
struct hop {
	uint32_t from, to; /* zones */
	uint32_t first, n; /* in proof.sorted */
	/* the first conduit by which a walk can continue, or one of the values above */
	uint32_t leads;
	/* [WANTS * WAYS]: the first conduit that carries what is forbidden; NULL = not computed
	 * yet */
	uint32_t *breaker;
};

struct proof {
	const struct model *m;
	struct arena *a; /* the caller's, for results */
	struct counterexample *list;
	size_t n, room;
	struct arena *work; /* for everything below except `scratch`; freed with the proof */
	/* by zone: the conduit by which the present walk reached it */
	const struct model_conduit **via;
	uint32_t *queue;  /* zones that the present walk has reached */
	uint32_t *sorted; /* conduits sorted by from, to, index */
	struct hop *hops; /* sorted by from, then by their first conduit */
	size_t n_hops;
	uint32_t *first_hop;	   /* by zone, with one more entry at the end */
	struct arena *scratch;	   /* memory of `cells`, made at their first use */
	const struct cells *cells; /* NULL: not made yet, or the policy has too many */
	/* by conduit: the first of its pairs in the cells; a pair is a conduit with one service */
	uint32_t *pair_at;
	/* by pair: 1 + the first cell in which its unjudged packets pass, 0 = there is none. The
	 * array is NULL before it is computed */
	uint32_t *decided[WAYS];
	/* as `decided`, but between the hosts of statement `hosts_of`, for the way `hosts_way` */
	uint32_t *decided_hosts;
	const struct model_never *hosts_of;
	enum unattended hosts_way;
	enum unattended unattended; /* the way that is being tried */
	const bool *breaks_off;	    /* by number: chain_breaks that are ignored; NULL = none */
	/* the statement of the latest walk; the results in `hops` hold for its answer_only */
	const struct model_never *asked;
	/* by number: services of answer_only that are ignored; NULL = none */
	const bool *answers_off;
};

/* Whether the statement is about hosts and not about whole zones: results kept in hops do not apply
 * to it. */
static inline bool never_of_hosts(const struct model_never *never)
{
	return never->sources.n > 0 || never->destinations.n > 0;
}

/* Makes the graph of zones. False without memory. proof_end has to be called in both cases. */
bool proof_begin(struct proof *p, const struct model *m, struct arena *a);
/* Frees the memory. If memory ran out, marks the caller's arena as failed: then nothing is proved,
 * whatever was returned. */
void proof_end(struct proof *p, struct arena *a);
/* The first conduit of this hop by which a walk can continue, or NULL. */
const struct model_conduit *hop_leading(struct proof *p, struct hop *h);
/* Whether the conduit is in force now or later, can let anything through, and connects two
 * interfaces. */
bool conduit_matters(const struct proof *p, const struct model_conduit *c);
/* Whether some packet of this conduit reaches an address from which a walk can continue. */
bool conduit_leads_on(const struct proof *p, const struct model_conduit *c);
/* Finds a packet that the statement forbids and that this conduit lets pass to the statement's last
 * zone. False: there is none. */
bool conduit_breaks(struct proof *p, const struct model_conduit *c, const struct model_never *never,
		    struct counterexample *ret);

#endif

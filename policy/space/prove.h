/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a model means: which conduits allow a packet, and which statements (`never`) do not hold. Pure; all memory in the
 * caller's arena.
 */
#ifndef SEKISHO_POLICY_SPACE_PROVE_H
#define SEKISHO_POLICY_SPACE_PROVE_H

#include "appliance/base/arena.h"
#include "policy/check/model.h"
#include "policy/ir/evaluate.h"

/* One broken `never`: the chain of conduits, hop by hop. */
struct counterexample {
	const struct model_never *never;
	const struct model_conduit **hops;
	size_t n_hops;
	const struct model_service *service; /* that carries the command on the last hop */
	struct addr source, destination;     /* a concrete packet of the last hop */
	uint8_t l4proto;
	uint16_t port;
	int function;  /* a forbidden function code, or -1: anything goes there */
	bool observed; /* the rows do not allow it, but the last hop's conduit only observes */
	/* Not FAIL_CLOSED: the statement holds but for this, which passes while nobody inspects; FAIL_HOLD: in live sessions. */
	enum failure unattended;
};

/* One counterexample for each statement that does not hold, or that holds only as long as somebody inspects; in the arena. */
size_t prove_nevers(const struct model *m, struct arena *a, struct counterexample **ret);

/* The model evaluator: written from the language reference alone, shares no code with cells.c. */
/* Indexes of all conduits that allow the packet; ascending. `cap` bounds `conduits`; returns how many there are. */
size_t evaluate_model(const struct model *m, const struct question *q, uint32_t *conduits, size_t cap);

#endif

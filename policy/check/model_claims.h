/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy states about itself, to be proved: never and always; and at which assets a chain
 * of never ends.
 */
#ifndef SEKISHO_POLICY_CHECK_MODEL_CLAIMS_H
#define SEKISHO_POLICY_CHECK_MODEL_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/addr.h"
#include "appliance/base/diag.h"
#include "policy/ir/ir.h"

struct model_asset;
struct model_service;
struct model_zone;

/* The hosts of one side (from or to) of a statement, all in the zone of that side. */
struct model_hosts {
	const struct model_asset **assets; /* assets that the text names; none: the whole zone */
	size_t n_assets;
	/* the addresses, sorted and disjoint; none: the whole zone */
	struct addr_range *ranges;
	size_t n;
};

struct model_never {
	const struct model_zone *from, *to;
	/* a `chain` statement has no ranges in `sources`: a chain begins anywhere in its zone */
	struct model_hosts sources, destinations;
	/* CLASS_* bits; CLASS_ALL when the text names no commands */
	unsigned classes;
	/* the text names no commands: any allowed traffic breaks the statement */
	bool all_commands;
	bool chain; /* scope = "chain" */
	/* answer_only: a chain does not continue over these services */
	const struct model_service **answers;
	size_t n_answers;
	const char *label;
	struct srcpos at;
};

/* A statement `always`: each host of one end can reach each host of the other end by
 * these services. */
struct model_always {
	const struct model_zone *from, *to;
	struct model_hosts sources, destinations;
	const struct model_service **services;
	size_t n_services;
	const char *purpose; /* "" when absent */
	struct srcpos at;
};

/* A statement `chain_break`: walks through this asset are not counted, for a stated reason ("office
 * reaches the TOS over TLS, the TOS writes to cranes, and that is accepted because ..."). */
struct model_chain_break {
	const struct model_asset *asset;
	const char *reason;
	struct srcpos at;
};

#endif

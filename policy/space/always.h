/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs of `always`: each host of one end has to reach each host of the other end by each of the
 * services, at every moment from now on. It is enough to check the time when all conduits with an
 * end are over and every door is shut: what is possible then is possible always. Pure; all memory
 * is the caller's arena.
 */
#ifndef SEKISHO_POLICY_SPACE_ALWAYS_H
#define SEKISHO_POLICY_SPACE_ALWAYS_H

#include "policy/check/model.h"

/* One statement that does not hold: a packet that it asks for and that is, or will be, refused. */
struct lapse {
	const struct model_always *always;
	const struct model_service *service;
	struct addr source, destination; /* of different families: the ends have none in common */
	uint8_t l4proto;
	uint16_t port;
	const struct model_conduit *ends; /* lets it pass until it ends; NULL: none does */
};

/* One for each statement that does not hold, in their order. Without memory, or where too much
 * overlaps, the arena has failed and nothing is proved. */
size_t prove_always(const struct model *m, struct arena *a, struct lapse **ret);

/* Whether the conduit allows some of what the statement asks for, at the times when it is open. */
bool always_carried(const struct model *m, const struct model_conduit *c, const struct model_always *w);

/* "10.10.0.5 -> 10.30.1.10 tcp/502, plc_read" */
void lapse_text(const struct lapse *x, char *out, size_t size);
#define LAPSE_TEXT 224u

#endif

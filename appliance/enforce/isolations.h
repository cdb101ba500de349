/* SPDX-License-Identifier: Apache-2.0 */
/* Isolations by people. */
#ifndef SEKISHO_ENFORCE_ISOLATIONS_H
#define SEKISHO_ENFORCE_ISOLATIONS_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "appliance/kernel/apart.h"

struct enforce;
struct generation_held;
struct msg;

/* What people isolated, as it is in the kernel and as the supervisor told it. */
struct isolated {
	struct apart apart; /* owned */
	struct apart kept;  /* owned: what continues during isolations */
	/* the supervisor has told the isolations; before that, those in the kernel are valid */
	bool known;
	/* owned: {"what", "by", "reason", "since", "pairs", "keep", "stage"}; NULL = not told */
	json_t *list;
	uint64_t looked_ns; /* when the neighbours were read last, monotonic */
};

/* Handles an order about an isolation, and answers it. False: the channel is broken. */
bool enforce_isolation(struct enforce *f, const struct msg *m);
/* Follows the addresses of isolated MAC addresses. To be called in each turn; returns in how many
 * ms it is due again, -1: no MAC address is isolated. */
int enforce_macs_due(struct enforce *f);
/* Takes the list that the supervisor sends. */
void enforce_isolations(struct enforce *f, int fd);
/* To be called before and after `next` comes into force: isolates the addresses that the isolated
 * names have in it and in the policy in force. */
void enforce_isolations_before(struct enforce *f, const struct generation_held *next);
/* To be called when it is certain that the new generation stays in force. From then on, no
 * isolation keeps a conduit that this generation does not keep, even if a later one would keep
 * it. */
void enforce_isolations_in_force(struct enforce *f);

#endif

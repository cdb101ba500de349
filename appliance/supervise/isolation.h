/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people isolated: an asset, a zone, two zones from each other, or what the policy has prepared, until somebody lets it rejoin. It stands in a file of state, which is written
 * before anybody is told that it is done, and enforce has it before the first rules of a start. Addresses are those of the moment of the order and those that the name
 * has in the policy in force, so that an apply takes nothing out of it. Letting rejoin opens nothing: what the policy allows is asked again.
 */
#ifndef SEKISHO_SUPERVISE_ISOLATION_H
#define SEKISHO_SUPERVISE_ISOLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/supervise/asker.h"

struct supervisor; /* supervise.h */
struct policy;	   /* policy.h */
struct msg;

struct isolation_order {
	uint8_t order; /* CHANGE_ISOLATE, CHANGE_REJOIN_READS or CHANGE_REJOIN */
	bool rehearse;
	char object[ISOLATE_OBJECT], comment[COMMENT_BYTES], by[USER_BY];
};

struct isolations {
	json_t *list;	/* owned: {"what", "by", "reason", "since", "pairs", "keep", "stage"} */
	bool unsaved;	/* it is not on the disk, which is full or fails */
	uint64_t again; /* monotonic ns: then that is tried again */
	/* The one order that waits for enforce. */
	bool waits;
	uint32_t id;
	uint64_t deadline; /* monotonic ns */
	struct asker asker;
	struct isolation_order order;
	json_t *one; /* owned: what it is about, of such a list */
};

/* From the disk. What cannot be read isolates everything, until a person says otherwise. */
void isolation_open(struct supervisor *s);
/* Answers the asker, at once or when enforce has done it. */
void isolation_ordered(struct supervisor *s, struct asker a, const struct isolation_order *o);
/* Enforce's answer. */
void isolation_done(struct supervisor *s, struct msg *m);
/* Before a generation goes to enforce. */
void isolation_before(struct supervisor *s, const struct policy *p);
/* It is in force: what it does not keep is not kept again by a later one. */
void isolation_applied(struct supervisor *s);
void isolation_due(struct supervisor *s, uint64_t now);
uint64_t isolation_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */
/* Which there are, for people: {"what", "by", "reason", "since", "keep", "stage"} each. */
json_t *json_isolations(const struct supervisor *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts wrong tokens by address (by /64 for IPv6). An address with many failures gets late
 * answers; other addresses are not affected, and the right token is never delayed. Every failure is
 * recorded exactly once, in at most one record per second and address. Memory is fixed; a full
 * table never loses a count. Time is a parameter.
 */
#ifndef SEKISHO_MGMT_WEB_BUDGET_H
#define SEKISHO_MGMT_WEB_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"

#define BUDGET_ADDRESSES 64
#define BUDGET_FREE 5			 /* failures that are not delayed */
#define BUDGET_DELAY_NS 1000000000u	 /* delay of the following ones */
#define BUDGET_FORGET_NS 2000000000u	 /* time after which one failure is forgotten */
#define BUDGET_REPORT_NS 1000000000u	 /* shortest time between two records of one address */
#define BUDGET_ACCEPTED_NS 600000000000u /* shortest time between two records of successful use */

struct budget_entry {
	struct addr who;   /* family 0 = free */
	uint64_t level;	   /* failures not forgotten */
	uint64_t level_ns; /* time for which `level` is valid */
	uint64_t unreported;
	uint64_t reported_ns; /* 0 = never */
	uint64_t accepted_ns; /* 0 = never */
	uint64_t used_ns;
};

struct budget {
	struct budget_entry entries[BUDGET_ADDRESSES];
};

/* The address that is counted: a /64 of IPv6 counts as one, because one customer has all its
 * addresses. */
struct addr budget_network(const struct addr *who);

/* Counts a wrong token from `who`. Returns the delay of its answer; *ret_report is the number of
 * failures to record now (0 = later, by budget_due). */
uint64_t budget_failure(struct budget *b, const struct addr *who, uint64_t now_ns, uint64_t *ret_report);
/* Notes the right token. True when its use has to be recorded. */
bool budget_accepted(struct budget *b, const struct addr *who, uint64_t now_ns);
/* Takes the count of one address whose record is due. False when there is none. */
bool budget_due(struct budget *b, uint64_t now_ns, struct addr *ret_who, uint64_t *ret_count);
/* When budget_due will have something next; UINT64_MAX = never. */
uint64_t budget_next_ns(const struct budget *b);

#endif

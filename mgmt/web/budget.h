/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wrong tokens, counted per address (per /64 for IPv6): who fails often is answered late, nobody
 * else is, and the right token is never held up. Every failure is reported exactly once, in at most
 * one record a second and address. Fixed memory; a full table never loses a count. Time is given,
 * never read.
 */
#ifndef SEKISHO_MGMT_WEB_BUDGET_H
#define SEKISHO_MGMT_WEB_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"

#define BUDGET_ADDRESSES 64
#define BUDGET_FREE 5			 /* failures that are answered at once */
#define BUDGET_DELAY_NS 1000000000u	 /* by how much later ones are delayed */
#define BUDGET_FORGET_NS 2000000000u	 /* one failure is forgotten per this time */
#define BUDGET_REPORT_NS 1000000000u	 /* between two records of one address */
#define BUDGET_ACCEPTED_NS 600000000000u /* between two records of successful use */

struct budget_entry {
	struct addr who;   /* family 0 = free */
	uint64_t level;	   /* failures not forgotten */
	uint64_t level_ns; /* when `level` was brought up to date */
	uint64_t unreported;
	uint64_t reported_ns; /* 0 = never */
	uint64_t accepted_ns; /* 0 = never */
	uint64_t used_ns;
};

struct budget {
	struct budget_entry entries[BUDGET_ADDRESSES];
};

/* One customer is one /64: its other addresses cost nothing. */
struct addr budget_network(const struct addr *who);

/* A wrong token came from `who`. Returns by how much its answer is to be delayed; *ret_report is
 * how many failures to record now (0 = later, by budget_due). */
uint64_t budget_failure(struct budget *b, const struct addr *who, uint64_t now_ns, uint64_t *ret_report);
/* The right token came. True when that is to be recorded. */
bool budget_accepted(struct budget *b, const struct addr *who, uint64_t now_ns);
/* Failures whose record is due: takes one address's count. False when there is none. */
bool budget_due(struct budget *b, uint64_t now_ns, struct addr *ret_who, uint64_t *ret_count);
/* When budget_due will next have something; UINT64_MAX = never. */
uint64_t budget_next_ns(const struct budget *b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits how much hosts can make the box write. Each host and each interface (or, where that is not
 * known, network) has a share of the records, so that a host can neither fill the disk nor hide
 * what others do. Records above the share become sums: one every ten seconds for each kind,
 * verdict, reason and interface. A sum has what all its records have in common, and the exact
 * number of packets and records. Records of policy, drift, roles, machine, devices and readings are
 * never summed.
 *
 * A compromised role can name other hosts and interfaces each time. So each role has a share, too:
 * for all lines from its records, and separate ones for counts of accepted commands and for reports
 * of lost records. Above these, there is one sum every ten seconds for each kind. The shares of a
 * role are larger than what hosts can make an honest role write, except with very many workers or
 * interfaces. Journal role only; pure, with a fixed amount of memory.
 */
#ifndef SEKISHO_JOURNAL_SHARE_H
#define SEKISHO_JOURNAL_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"
#include "appliance/wire/role.h"

#define SHARE_BUCKETS 4096u
#define SHARE_SUMS 512u
#define SHARE_SUM_NS 10000000000ull

struct share_bucket {
	uint64_t filled_ns;
	uint32_t milli; /* used tokens in thousandths; 0 = all tokens are available */
};

struct share_sum {
	uint64_t records; /* 0 = free */
	uint64_t since_ns;
	enum role from;
	/* what the records have in common; its count is the sum of their counts */
	struct event event;
};

/* The shares of a role. */
enum share_pace { SHARE_TRAFFIC, SHARE_PASSED, SHARE_COUNTS, SHARE_LOST, SHARE_PACES };

/* Start from zero bytes. */
struct shares {
	struct share_bucket buckets[SHARE_BUCKETS];
	struct share_bucket roles[ROLE_COUNT][SHARE_PACES];
	struct share_sum sums[SHARE_SUMS];
	/* sums of records above a role's share */
	struct share_sum rest[ROLE_COUNT][EVENT_KIND_COUNT];
	uint64_t summed; /* records that became part of a sum */
};

/* True: the record is within its share and is to be written. False: it was added to a sum. */
bool share_in(struct shares *s, const struct event *e, enum role from, uint64_t now_ns);
/* The next sum whose time is over, of *ret_records records; `all`: the next one, over or not. Call
 * until it returns false. */
bool share_out(struct shares *s, uint64_t now_ns, bool all, struct event *ret, enum role *ret_from,
	       uint64_t *ret_records);
/* When the next one is due; UINT64_MAX = none. */
uint64_t share_due(const struct shares *s);

#endif

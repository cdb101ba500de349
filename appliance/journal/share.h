/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever makes the box write can make it write much: a share of the records for each host and for each interface (or,
 * where that is not known, network), so that a stranger neither fills the disk nor hides what others do. Above its share
 * records become sums: one in ten seconds for each kind, verdict, reason and interface, which says what they all have in
 * common and exactly how many packets and records it stands for. Nothing about the box itself is ever summed.
 *
 * What a role says about hosts and interfaces is its word: one that was taken over names others each time. So each role has a share
 * as well, of all lines that come of its records, and shares of their own for counts of accepted commands and for records that it lost.
 * Above those there is one sum in ten seconds for each kind. They are above what hosts can make an honest role say, but where there are
 * very many workers or interfaces.
 * Journal role only; pure, with a fixed amount of memory.
 */
#ifndef SEKISHO_JOURNAL_SHARE_H
#define SEKISHO_JOURNAL_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

#define SHARE_BUCKETS 4096u
#define SHARE_SUMS 512u
#define SHARE_SUM_NS 10000000000ull

struct share_bucket {
	uint64_t filled_ns;
	uint32_t milli; /* tokens that were taken, in thousandths; 0 = full */
};

struct share_sum {
	uint64_t records; /* 0 = free */
	uint64_t since_ns;
	enum role from;
	struct event event; /* what they have in common; count = all of theirs */
};

/* What a role's records are counted by. */
enum share_pace { SHARE_TRAFFIC, SHARE_PASSED, SHARE_COUNTS, SHARE_LOST, SHARE_PACES };

/* Start from zero bytes. */
struct shares {
	struct share_bucket buckets[SHARE_BUCKETS];
	struct share_bucket roles[ROLE_COUNT][SHARE_PACES];
	struct share_sum sums[SHARE_SUMS];
	struct share_sum rest[ROLE_COUNT][EVENT_KIND_COUNT]; /* above a role's share */
	uint64_t summed;				     /* records that became part of a sum */
};

/* True: within its share, to be written as it is. False: it is part of a sum. */
bool share_in(struct shares *s, const struct event *e, enum role from, uint64_t now_ns);
/* A sum whose time is over (or any, with `all`), of *ret_records records. Call until it says false. */
bool share_out(struct shares *s, uint64_t now_ns, bool all, struct event *ret, enum role *ret_from,
	       uint64_t *ret_records);
/* When the next one is due; UINT64_MAX = none. */
uint64_t share_due(const struct shares *s);

#endif

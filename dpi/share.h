/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares divide the scarce resources of a worker (flow slots, blocks of the pool, places to wait,
 * records) by the kind and the criticality of lanes, so that no share can use up the resources of
 * another.
 *
 * Inside a share, every resource is booked on a holder, which is a pair of hosts. A full share
 * takes resources back from the holder that has the most. Only shares whose lanes are in use have a
 * part. Sessions without a lane (which are being cut) have a small part of their own. Holders are
 * kept in lists by the order of magnitude of what they hold, so that the largest holder is found in
 * a few steps whatever an attacker does. No memory is taken after share_init.
 */
#ifndef SEKISHO_DPI_SHARE_H
#define SEKISHO_DPI_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/wire/lane.h"

#define SHARE_LANES 6u /* two kinds, three criticalities */
#define SHARE_OTHER SHARE_LANES
#define SHARES (SHARE_LANES + 1u)
#define SHARE_OTHER_PART 16u /* 1/16 of each resource is for sessions without a lane */

#define HOLDER_NONE UINT32_MAX

/* The resources that are booked on a holder. */
enum held { HELD_FLOWS, HELD_BLOCKS, HELD_WAITS, HELD_KINDS };

#define HELD_SIZES 33u /* lists of holders, by what each has: 0, 1, 2 to 3, 4 to 7, ... */

struct holder {
	struct addr client, server;
	uint32_t share;
	uint32_t held[HELD_KINDS];
	/* neighbours in the list of holders that have about as much */
	uint32_t older[HELD_KINDS], newer[HELD_KINDS];
	/* next in its bucket, or in the list of free entries */
	uint32_t hash_next;
	/* its flows, oldest first; maintained by the flow table */
	uint32_t first, last;
};

struct share_table {
	struct holder *holders; /* owned */
	uint32_t *buckets;	/* owned; power of two */
	uint32_t mask, size;
	uint32_t free, fresh;
	uint64_t seed[2];
	/* newest holder of each list; HOLDER_NONE = the list is empty */
	uint32_t newest[SHARES][HELD_KINDS][HELD_SIZES];
};

/* The share of a lane. */
static inline uint32_t share_of(uint32_t lane)
{
	struct lane l;

	return lane_of(lane, &l) ? (uint32_t)l.kind * 3u + (uint32_t)l.criticality : SHARE_OTHER;
}

/* Allocates room for `most` holders. False when memory is out. */
bool share_init(struct share_table *t, uint32_t most);
void share_done(struct share_table *t);
/* The holder of a pair of hosts in a share, a new one when there is none; HOLDER_NONE when all are
 * in use. A holder is freed automatically when it holds nothing any more. */
uint32_t share_holder(struct share_table *t, uint32_t share, const struct addr *client, const struct addr *server);
/* Adds `by` (which may be negative) to what the holder has. */
void share_book(struct share_table *t, uint32_t holder, enum held what, int32_t by);
/* A holder with the most of a share, or nearly the most when many have about as much; HOLDER_NONE
 * when no holder has anything. */
uint32_t share_greediest(const struct share_table *t, uint32_t share, enum held what);
/* Divides `size` among the shares in `used` (bit n: share n) and the sessions without a lane.
 * `whole`: every share may use all of it. */
void share_divide(uint32_t size, uint32_t used, bool whole, uint32_t ret[SHARES]);

#endif

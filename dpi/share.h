/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares: what is scarce in a worker (flow slots, blocks of the pool, places to wait, records) is divided by the kind and
 * the criticality of lanes, so that nobody pays for what another share does.
 *
 * Inside a share everything is booked on a holder, which is a pair of hosts. A share that is full makes room within
 * itself, from the holder that has the most. Only shares whose lanes are in use have a part; what belongs to no lane (a
 * session that is being cut) has a small one of its own. Holders are kept in lists by the order of magnitude of what they
 * hold, so that the greediest is found in a few steps whatever an attacker does. No memory is taken after share_init.
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
#define SHARE_OTHER_PART 16u /* one of so many parts is for what belongs to no lane */

#define HOLDER_NONE UINT32_MAX

/* What a holder can hold. */
enum held { HELD_FLOWS, HELD_BLOCKS, HELD_WAITS, HELD_KINDS };

#define HELD_SIZES 33u /* 0, 1, 2 to 3, 4 to 7, ... */

struct holder {
	struct addr client, server;
	uint32_t share;
	uint32_t held[HELD_KINDS];
	uint32_t older[HELD_KINDS], newer[HELD_KINDS]; /* in the list of its size */
	uint32_t hash_next;			       /* also the list of free ones */
	uint32_t first, last;			       /* its flows, oldest first; the flow table's business */
};

struct share_table {
	struct holder *holders; /* owned */
	uint32_t *buckets;	/* owned; power of two */
	uint32_t mask, size;
	uint32_t free, fresh;
	uint64_t seed[2];
	uint32_t newest[SHARES][HELD_KINDS][HELD_SIZES]; /* HOLDER_NONE = nobody holds so much */
};

/* The share of a lane. */
static inline uint32_t share_of(uint32_t lane)
{
	struct lane l;

	return lane_of(lane, &l) ? (uint32_t)l.kind * 3u + (uint32_t)l.criticality : SHARE_OTHER;
}

/* `most` holders at a time. False when memory is out. */
bool share_init(struct share_table *t, uint32_t most);
void share_done(struct share_table *t);
/* The holder of a pair of hosts in a share, a new one when there is none; HOLDER_NONE when all are in use. It is given
 * back by itself when it holds nothing any more. */
uint32_t share_holder(struct share_table *t, uint32_t share, const struct addr *client, const struct addr *server);
/* It holds so much more, or less. */
void share_book(struct share_table *t, uint32_t holder, enum held what, int32_t by);
/* Who holds the most of a share, or nearly so when many hold as much; HOLDER_NONE when nobody holds anything. */
uint32_t share_greediest(const struct share_table *t, uint32_t share, enum held what);
/* Divides `size` among the shares of `used` (bit n: share n) and what belongs to none. `whole`: everybody may have all. */
void share_divide(uint32_t size, uint32_t used, bool whole, uint32_t ret[SHARES]);

#endif

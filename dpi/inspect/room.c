/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/room.h"

#include "dpi/inspect/outcome.h"

#define WAYS_MAX 4u /* sessions that give way to one segment */
#define WAY_LOOKS 8u

static uint32_t keeps(const struct flow *f)
{
	return (uint32_t)stream_kept(&f->stream) + f->wait.bytes;
}

/*
 * The pool has no room for `bytes` more of this flow: whoever keeps most of its share gives way, if that is more than this
 * flow's holder would have then. One session each time; false when nobody gives way.
 */
static bool make_way(struct crossing *x, size_t bytes)
{
	struct inspector *i = x->i;
	const struct holder *all = i->flows.holders.holders;
	uint32_t h = share_greediest(&i->flows.holders, x->f->share, HELD_BLOCKS), fi;

	if (!pool_is_divided(&i->pool) || h == HOLDER_NONE ||
	    all[h].held[HELD_BLOCKS] <= all[x->f->holder].held[HELD_BLOCKS] + bytes / POOL_BLOCK)
		return false;
	for (unsigned n = 0; n < WAY_LOOKS; n++) {
		fi = flow_heaviest(&i->flows, h, keeps);
		if (fi == FLOW_NONE || fi == x->fi)
			return false;
		if (keeps(flow_at(&i->flows, fi)) > 0) {
			outcome_give_way(i, fi);
			return true;
		}
	}
	return false; /* its next packet looks on */
}

bool room_make(struct crossing *x, size_t bytes)
{
	bool fits = stream_room(&x->f->stream, &x->i->pool, x->dir, bytes);

	for (unsigned ways = 0; !fits && ways < WAYS_MAX && make_way(x, bytes); ways++)
		fits = stream_room(&x->f->stream, &x->i->pool, x->dir, bytes);
	return fits;
}

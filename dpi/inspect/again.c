/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reset is said once and nobody acknowledges it. One that gets lost behind the box would leave a silent server with a
 * session that no client has any more, and perhaps without a free slot. So the resets of a cut are said again a few
 * times, at the same distance each, unless the ports carry a new connection by then. Whoever heard the first one does
 * not mind. When more sessions end at once than there are places, the next ones are told only once.
 */
#include "dpi/inspect/core.h"

void again_note(struct crossing *x, const struct reset_record *r)
{
	struct inspector *i = x->i;

	if (i->limits.as_captured || x->f == NULL || i->n_again == AGAIN_PLACES)
		return;
	i->again[(i->again_first + i->n_again++) % AGAIN_PLACES] = (struct again){
		.r = *r, .due_ns = i->now_ns + AGAIN_NS, .flow = x->fi, .n = x->f->n, .left = AGAIN_TIMES
	};
}

void again_send_due(struct inspector *i)
{
	while (i->n_again > 0 && i->again[i->again_first].due_ns <= i->now_ns) {
		struct again a = i->again[i->again_first];
		const struct flow *f = flow_at(&i->flows, a.flow);

		i->again_first = (i->again_first + 1u) % AGAIN_PLACES;
		i->n_again--;
		if (f->n != a.n || f->kind != KIND_REFUSED)
			continue;
		outside_reset(&a.r);
		if (--a.left == 0)
			continue;
		a.due_ns = i->now_ns + AGAIN_NS;
		i->again[(i->again_first + i->n_again++) % AGAIN_PLACES] = a;
	}
}

uint64_t again_next_due(const struct inspector *i)
{
	return i->n_again > 0 ? i->again[i->again_first].due_ns : UINT64_MAX;
}

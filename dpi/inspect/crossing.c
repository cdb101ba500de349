/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/crossing.h"

#include "dpi/inspect/command.h"
#include "dpi/inspect/name.h"

void crossing_touch(struct crossing *x)
{
	const struct flow *f = x->f;
	enum flow_class class = CLASS_LIVE;

	if (f->kind == KIND_REFUSED || f->l4proto != IP_TCP)
		class = CLASS_DATAGRAM;
	else if (f->class == CLASS_ENDED && f->told_end)
		class = CLASS_ENDED;
	else if (f->kind == KIND_NAMED || f->kind == KIND_FREE)
		class = CLASS_NAMED;
	else if (!f->waiting_pick_up && f->stream.state != TCP_OPEN)
		class = CLASS_HALF_OPEN;
	else if (!f->waiting_pick_up && f->stream.dir[0].offset == 0 && f->stream.dir[1].offset == 0)
		class = CLASS_SILENT;
	flow_touch(&x->i->flows, x->fi, class, x->i->now_ns);
}

void crossing_release(struct inspector *i, uint32_t fi)
{
	struct flow *f = flow_at(&i->flows, fi);

	stream_free(&f->stream, &i->pool);
	name_forget(i, f);
	command_release(i, f);
}

struct verdict crossing_take(struct crossing *x, const struct stream_result *s, size_t unjudged, enum reason r)
{
	/* Does not fail: room was ensured before anything was judged. */
	if (!stream_commit(&x->f->stream, &x->i->pool, x->dir, s->fresh, s->fin, unjudged))
		return verdict_refuse(R_POOL_FULL);
	x->f->gave_up[x->dir] = 0;
	x->f->astray = 0;
	crossing_touch(x);
	return verdict_pass(r);
}

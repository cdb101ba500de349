/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/repeat.h"

#include "dpi/inspect/command.h"
#include "dpi/inspect/state.h"

struct verdict repeat_judge(struct crossing *x)
{
	struct flow *f = x->f;
	const struct stream_dir *d = &f->stream.dir[x->dir];
	struct pdu u = { .dir = x->dir, .space = 255, .conduit = EVENT_NO_CONDUIT };
	uint32_t from = x->d.seq, to = x->d.seq + (uint32_t)x->d.payload.left, pdu = d->first;
	struct command_state *c = f->commands;
	struct judged j = { .reason = R_ALLOWED };
	struct bytes kept;
	bool late;
	size_t n;

	if (c == NULL || c->enforcer->repeat == NULL || x->dir != DIR_C2S || crossing_is_observed(x) || !d->known)
		return go_on();
	if (seq_diff(to, d->next) > 0)
		to = d->next;
	/* Its receiver has what came before; perhaps a part of a PDU, where its window ended. */
	if (seq_diff(from, d->first) < 0)
		from = d->first;
	if (seq_diff(from, d->acked) < 0)
		from = d->acked;
	if (seq_diff(to, from) <= 0)
		return go_on();
	kept = bytes_of(x->i->rooms.pdu,
			stream_kept_copy(&f->stream, &x->i->pool, x->dir, x->i->rooms.pdu, PACKET_MAX));
	while (seq_diff(from, pdu) > 0 && c->enforcer->frame(c->state, x->dir, kept, &n) == FRAME_WHOLE &&
	       seq_diff(from, pdu + (uint32_t)n) >= 0 && bytes_skip(&kept, n))
		pdu += (uint32_t)n;
	u.offset = d->offset - (d->next - pdu);
	u.length = to - from;
	late = x->i->now_ns - (u.offset == c->begun ? c->begun_ns : c->segment_ns) > LATE_NS;
	if (c->enforcer->repeat(c->state, u.offset, from - pdu, to - from, late, kept, x->table, x->permit, &u))
		return go_on();
	command_tell(x, &u, &j);
	return end_flow(j.reason, PROTO_NONE);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/cut.h"

#include "dpi/inspect/life.h"

/*
 * Mostly the box has lost the session (it was off, or rebooted) and its ends have not: both are reset, so that the client dials
 * anew and the server's slot is free. Whether there is a live session after all, out of whose windows the segment is, only the
 * kernel knows; the gate asks. No flow is made for it: anybody can send as many of these as he likes.
 */
struct verdict cut_stray(struct crossing *x)
{
	x->dir = life_guess_dir(x);
	/* By its own numbers; a flow that may be alive hears nothing of it. */
	return and_hear(drop(R_NO_SESSION), x->d.tcp_flags & TCP_RST ? HEAR_NOTHING : HEAR_PACKET);
}

struct verdict cut_judge(struct crossing *x)
{
	if (x->d.l4proto != IP_TCP)
		return drop(R_ENDED);
	x->fi = flow_find(&x->i->flows, &x->d, &x->dir);
	if (x->fi != FLOW_NONE) {
		x->f = flow_at(&x->i->flows, x->fi);
		if (x->f->kind != KIND_REFUSED && x->dir == DIR_S2C && (x->d.tcp_flags & TCP_SYN)) {
			/* A session that begins over the one that is known: its ends know this packet's numbers alone. */
			life_restart(x, x->dir);
			x->f->waiting_pick_up = true;
		}
		return x->f->kind == KIND_REFUSED ? and_hear(drop(R_ENDED), HEAR_PACKET)
						  : verdict_of(STEP_CUT, R_ENDED);
	}
	x->dir = life_guess_dir(x);
	/* Without room for it the cut is as good; only its event is missing. */
	if (!life_open(x, x->dir))
		return and_hear(drop(R_ENDED), HEAR_FLOW);
	x->f->waiting_pick_up = true; /* nothing is known but this packet's numbers */
	return verdict_of(STEP_CUT, R_ENDED);
}

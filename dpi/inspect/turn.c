/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/turn.h"

#include "dpi/inspect/follow.h"
#include "dpi/inspect/greet.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/midstream.h"
#include "dpi/inspect/relabel.h"
#include "dpi/inspect/wait.h"

static MUST_SEND struct verdict judge_taken(struct taken *t)
{
	struct verdict v = relabel(&t->x);

	return v.step == STEP_ON ? follow(&t->x) : v;
}

/* What is in order now. `frame` of `dir` filled the gap; 0 when none did. */
static void release(struct inspector *i, uint32_t fi, enum direction dir, uint32_t frame)
{
	uint32_t filled[2] = { 0 }; /* the last frame that was needed, by direction */
	struct taken t;
	uint32_t w;
	bool good;

	if (i->releasing)
		return;
	i->releasing = true;
	filled[dir] = frame;
	while ((w = wait_ready(i, fi)) != SLOT_NONE) {
		good = wait_take(i, w, &t);
		/* Its bytes reach the receiver when the gap is filled, not when they arrived. */
		if (t.ahead && t.p.frame < filled[t.x.dir])
			t.p.frame = filled[t.x.dir];
		filled[t.x.dir] = t.p.frame;
		life_send(&t.x, good ? judge_taken(&t) : drop(R_UNKNOWN_PERMIT));
	}
	i->releasing = false;
}

void turn_take(struct crossing *x)
{
	life_send(x, follow(x));
	if (x->f->wait.first != SLOT_NONE)
		release(x->i, x->fi, x->dir, x->p->frame);
}

/* The time of one is over. */
static void give_up(struct inspector *i, uint32_t fi, uint32_t w)
{
	struct taken t;

	if (!wait_take(i, w, &t)) {
		life_send(&t.x, drop(R_UNKNOWN_PERMIT));
	} else if (t.x.f->greets && !greet_stops(t.x.permit)) {
		life_send(&t.x, greet_let_go(&t.x));
	} else if (crossing_is_observed(&t.x)) {
		life_send(&t.x, follow_half_way(&t.x));
	} else {
		midstream_note_given_up(&t.x);
		life_send(&t.x, drop(R_OUT_OF_ORDER));
	}
	release(i, fi, t.x.dir, t.p.frame);
}

void turn_expire(struct inspector *i)
{
	uint32_t w, fi;

	while ((w = wait_overdue(i, &fi)) != SLOT_NONE)
		give_up(i, fi, w);
}

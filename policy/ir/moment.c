/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/moment.h"

#include "appliance/wire/settings.h"

_Static_assert(sizeof(struct ir_day) == sizeof(uint32_t), "days are read as numbers");

struct times ir_times(const struct ir *ir, const struct ir_conduit *c, struct window *w)
{
	struct times t = { .starts = c->starts,
			   .until = c->until,
			   .door = c->door < ir->n_doors ? &ir->doors[c->door].open_until : NULL };
	const struct ir_window *x;

	if (c->window >= ir->n_windows)
		return t;
	x = &ir->windows[c->window];
	*w = (struct window){ .days = x->days,
			      .from = x->from,
			      .to = x->to,
			      .first = x->first,
			      .last = x->last,
			      .except = x->n_except > 0 ? &x->except->day : NULL,
			      .n_except = x->n_except };
	t.within = w;
	return t;
}

static void earlier(uint64_t at, uint64_t after, uint64_t *ret)
{
	if (at > after && at < *ret)
		*ret = at;
}

/* When the conduit ends, as seen at this moment. 0 = it is open without end; IR_SHUT = it is not
 * open. */
static uint64_t conduit_end(const struct ir *ir, const struct ir_conduit *c, const struct time_zone *z, uint64_t moment,
			    uint64_t *ret_next)
{
	struct window w;
	struct times t = ir_times(ir, c, &w);
	uint64_t end, next, ignored;

	if (!times_hold(&t, z, moment, &end, &next)) {
		earlier(next, moment, ret_next);
		return IR_SHUT;
	}
	/* At the conduit's next opening its end has to be computed again. The next opening can be
	 * at `end` itself, because wire/hours.c joins at most STRETCHES openings. */
	if (end != 0) {
		if (times_hold(&t, z, end, &ignored, &next))
			next = end;
		earlier(next, moment, ret_next);
	}
	return end;
}

static uint64_t permit_end(const struct ir *ir, uint32_t permit, const struct time_zone *z, uint64_t moment,
			   uint64_t *ret_next)
{
	const struct command_permit *p = &ir->table.permits[permit];
	uint64_t first = IR_NO_END;

	for (uint32_t i = 0; i < p->n_grants; i++) {
		const struct ir_conduit *c = &ir->conduits[ir->table.grants[p->first_grant + i].conduit];
		uint64_t end = conduit_end(ir, c, z, moment, ret_next);

		if (end != 0 && end < first)
			first = end;
	}
	return first;
}

static bool by_hours(const struct ir *ir, uint32_t permit)
{
	const struct command_permit *p = &ir->table.permits[permit];

	for (uint32_t i = 0; i < p->n_grants; i++) {
		const struct ir_conduit *c = &ir->conduits[ir->table.grants[p->first_grant + i].conduit];

		if (c->starts != 0 || c->window < ir->n_windows || c->door < ir->n_doors)
			return true;
	}
	return false;
}

uint64_t ir_at(struct ir *ir, uint64_t moment)
{
	struct time_zone z = { 0 };
	uint64_t next = UINT64_MAX;

	if (ir->time_zone[0] != '\0' && !time_zone_parse(ir->time_zone, &z))
		return next; /* all conduits with hours stay shut */
	for (uint32_t i = 0; i < ir->n_permits; i++)
		if (by_hours(ir, i))
			ir->permits[i].until = permit_end(ir, i, &z, moment, &next);
	return next;
}

void ir_follow(struct ir *ir, uint64_t moment)
{
	if (ir->opens_s != 0 && moment >= ir->at_s && moment < ir->opens_s)
		return;
	ir->opens_s = ir_at(ir, moment);
	ir->at_s = moment;
}

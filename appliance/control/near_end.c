/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/arena.h"
#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/control/answers.h"
#include "appliance/control/control.h"
#include "appliance/control/ending.h"
#include "appliance/control/ground.h"
#include "appliance/control/watch.h"
#include "policy/ir/seal.h"

#define SECOND 1000000000ull
#define SHOWN 32u		/* names that are shown; the total is given as well */
#define BACK_MOST 8u		/* earlier generations that are read after a start, at most */
#define BACK_BUDGET (64u << 20) /* bytes of memory for one generation */

static uint64_t applied_s(const struct control *s, uint64_t number)
{
	const struct generation_record *g = generation_find(&s->store, number);

	return g != NULL ? g->applied_ns / SECOND : clock_wall_s();
}

/* After a start: asks for the generation before `g`, one by one, as long as they have conduits of
 * the list. */
static void ask_before(struct control *s, const struct generation_record *g)
{
	struct near_ends *r = &s->near_ends;

	if (g == NULL || g->before == 0 || g->before >= g->number || r->back == BACK_MOST)
		return;
	r->back++;
	collect_pass(s, SLOT_BOX, &(struct msg_body){ MSG_SHOW, .show = { .number = g->before } },
		     (struct asker){ .kind = ASKER_ENDS, .serial = g->before });
}

void near_end_told(struct control *s, struct asker a, int status, int fd)
{
	const struct generation_record *g = generation_find(&s->store, a.serial);
	struct arena *memory = arena_new(BACK_BUDGET);
	struct ir *ir = memory != NULL ? arena_alloc(memory, sizeof(*ir)) : NULL;
	uint8_t *p = NULL;
	size_t n, found = 0;
	struct err e;

	if (g != NULL && ir != NULL && status == ANSWER_YES && fd >= 0 &&
	    memfd_read(fd, GENERATION_MAX_BYTES, &p, &n, &e) == 0 && ir_unseal(bytes_of(p, n), memory, ir, &e) == 0)
		found = endings_older(&s->near_ends.endings, ir, g->applied_ns / SECOND);
	free(p);
	arena_free(memory);
	if (found > 0)
		ask_before(s, g);
}

static void adopt(struct control *s)
{
	struct near_ends *r = &s->near_ends;
	bool first = r->generation == 0;

	if (!endings_take(&r->endings, s->now->ir, applied_s(s, s->now->number)))
		return; /* tried again at the next look */
	r->generation = s->now->number;
	if (first && r->endings.n > 0)
		ask_before(s, generation_find(&s->store, s->now->number));
}

static bool is_near(const struct ending *x, uint64_t now)
{
	return x->until > now && now >= ending_near(x->since, x->until);
}

void near_end_look(struct control *s, uint64_t now)
{
	struct near_ends *r = &s->near_ends;
	uint64_t moment = clock_wall_s();

	if (s->now->number == 0) {
		endings_free(&r->endings);
		r->generation = 0;
		return;
	}
	if (r->generation != s->now->number)
		adopt(s);
	/* An untrusted clock could make any end look near. */
	for (size_t i = 0; i < r->endings.n && s->trusted; i++) {
		struct ending *x = &r->endings.list[i];
		char text[EVENT_TEXT];
		json_t *until;

		if (x->said || !is_near(x, moment))
			continue;
		x->said = true;
		until = json_time(x->until * SECOND);
		snprintf(text, sizeof(text), "%s (%s)", x->name, json_string_value(until));
		json_decref(until);
		policy_record(s, POLICY_ENDS_SOON, s->now->number, NULL, text);
	}
}

static const struct ir_conduit *conduit_of(const struct ir *ir, const struct ending *x)
{
	for (uint32_t i = 0; i < ir->n_conduits; i++)
		if (ir->conduits[i].until == x->until && strcmp(ir->conduits[i].name, x->name) == 0)
			return &ir->conduits[i];
	return NULL;
}

json_t *json_ending(const struct control *s)
{
	const struct near_ends *r = &s->near_ends;
	uint64_t now = clock_wall_s();
	json_t *list;
	size_t n = 0;

	if (!s->trusted)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < r->endings.n; i++) {
		const struct ending *x = &r->endings.list[i];
		const struct ir_conduit *c;
		uint64_t near = ending_near(x->since, x->until);

		c = is_near(x, now) ? conduit_of(s->now->ir, x) : NULL;
		if (c == NULL || n++ >= SHOWN)
			continue;
		(void)json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "conduit", json_text(c->name),
							    "label", json_text(c->label), "owner", json_text(c->owner),
							    "until", json_time(x->until * SECOND), "since",
							    json_time((near > x->since ? near : x->since) * SECOND)));
	}
	return json_pack("{s:I, s:o}", "near", (json_int_t)n, "conduits", list);
}

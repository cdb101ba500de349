/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the kernel's sessions for conduits with heard_within, and reports those that are silent
 * (heard.h). */
#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"
#include "appliance/kernel/conntrack.h"

#define SILENT_SHOWN 32u	 /* names that are shown; the total is given besides */
#define INTERFACES_BUDGET 65536u /* bytes */

static void tell(void *ctx, const struct generation_held *g, uint32_t conduit, enum silence_event what,
		 uint64_t seconds)
{
	struct enforce *f = ctx;
	struct event e = event_new(EVENT_SILENCE, clock_wall_ns());

	e.code = (uint8_t)what;
	e.conduit = conduit;
	e.line = g->ir.conduits[conduit].line;
	e.value = seconds;
	event_send(&f->events, &e);
}

void enforce_listen_adopt(struct enforce *f)
{
	(void)heard_adopt(&f->heard, f->now, clock_mono(), clock_wall_ns(), tell, f);
}

void enforce_listen(struct enforce *f)
{
	struct arena *a;
	struct err e;
	bool *up;

	if (f->now == NULL || f->heard.n == 0)
		return;
	a = arena_new(INTERFACES_BUDGET);
	up = a != NULL ? arena_array(a, f->now->ir.n_interfaces + 1u, sizeof(*up)) : NULL;
	heard_begin(&f->heard, enforce_moment(f));
	/* An unfinished dump counts as none: the next one covers the time since the last. */
	if (up != NULL && conntrack_dump(&f->net, heard_note, heard_restart, &f->heard, &e) == 0) {
		links_up(f->links, &f->now->ir, up);
		heard_end(&f->heard, up, clock_mono(), clock_wall_ns(), tell, f);
	} else if (f->heard.missed < HEARD_MISSED) {
		f->heard.missed++;
	}
	arena_free(a);
}

json_t *enforce_expected(const struct enforce *f)
{
	json_t *list = json_array();
	size_t n = 0;

	for (size_t i = 0; f->now != NULL && i < f->heard.n; i++) {
		const struct heard_conduit *w = &f->heard.list[i];
		const struct ir_conduit *c = &f->now->ir.conduits[w->conduit];

		if (!w->silent || n++ >= SILENT_SHOWN)
			continue;
		(void)json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:o, s:b}", "conduit", json_text(c->name),
							    "label", json_text(c->label), "within_s",
							    (json_int_t)c->heard_within, "since",
							    json_time(w->since_wall_ns), "heard", (int)w->heard));
	}
	return json_pack("{s:I, s:I, s:b, s:o}", "watched", (json_int_t)f->heard.n, "silent", (json_int_t)n, "unread",
			 (int)(f->heard.n > 0 && f->heard.missed == HEARD_MISSED), "conduits", list);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/enforce/record.h"

#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/wire/deed.def"
#include "appliance/wire/msg.h"

void record_add(struct drift_record *r, const char *object, const char *before, const char *after)
{
	struct event *ev = &r->list[r->n];

	if (r->n == RECORD_EVENTS) {
		r->more++;
		return;
	}
	*ev = event_new(EVENT_DRIFT, 0);
	event_say(ev, EVENT_OBJECT, object);
	event_say(ev, EVENT_BEFORE, before);
	event_say(ev, EVENT_AFTER, after);
	r->n++;
}

static void add_difference(struct drift_record *r, const struct difference *x, const char *when)
{
	bool gone = strcmp(x->what, "missing") == 0, whole = strcmp(x->where, "table") == 0;
	char object[160];

	snprintf(object, sizeof(object), "table inet %s%s%s%s%s%s", TABLE_NAME, whole ? "" : ", ",
		 whole ? "" : x->where, x->detail[0] == '\0' ? ": " : "", x->detail[0] == '\0' ? x->what : "", when);
	record_add(r, object, gone ? x->detail : x->want != NULL ? x->want : "", gone ? "" : x->detail);
}

void record_differences(struct drift_record *r, const struct differences *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].ours)
			add_difference(r, &d->list[i], "");
}

void record_unwatched(struct drift_record *r, const struct differences *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].ours && strncmp(d->list[i].where, "set ", 4) != 0)
			add_difference(r, &d->list[i], " (" DEED_FOUND ")");
}

/* "nft (pid 123): table deleted; table inet sekisho, chain forward: ... -> ...; ..." */
static void line(const struct drift_record *r, const char *by, const char *deeds, const char *trouble, char *out,
		 size_t size)
{
	size_t at = (size_t)snprintf(out, size, "%s%s%s", by, by[0] != '\0' ? ": " : "", deeds);
	bool begun = deeds[0] != '\0';

	for (unsigned i = 0; i < r->n && at < size; i++) {
		const struct event *ev = &r->list[i];
		bool change = ev->text[EVENT_BEFORE][0] != '\0' || ev->text[EVENT_AFTER][0] != '\0';

		at += (size_t)snprintf(out + at, size - at, "%s%s%s%.150s%s%.150s", begun ? "; " : "",
				       ev->text[EVENT_OBJECT], change ? ": " : "", ev->text[EVENT_BEFORE],
				       change ? " -> " : "", ev->text[EVENT_AFTER]);
		begun = true;
	}
	if (r->more > 0 && at < size)
		at += (size_t)snprintf(out + at, size - at, "; +%zu", r->more);
	if (trouble[0] != '\0' && at < size)
		snprintf(out + at, size - at, "%s%s", begun ? "; " : "", trouble);
}

void record_send(struct enforce *f, struct drift_record *r, enum drift what, uint64_t gap_us, uint64_t back_us,
		 const char *trouble)
{
	struct msg_body m = { MSG_DRIFT, .drift = { .what = (uint8_t)what, .gap_us = gap_us, .back_us = back_us } };
	char deeds[EVENT_TEXT], by[EVENT_TEXT] = "", text[900];

	if (f->meddling.process[0] != '\0')
		snprintf(by, sizeof(by), "%s (pid %u)", f->meddling.process, f->meddling.pid);
	meddling_text(&f->meddling, deeds, sizeof(deeds));
	/* The change was undone before anybody looked, or everything was deleted: only the reports
	 * can be told. */
	if (r->n == 0 || what == DRIFT_FLUSHED) {
		char object[EVENT_TEXT + 32];

		r->n = 0;
		r->more = 0;
		snprintf(object, sizeof(object), "table inet %s: %s", TABLE_NAME, deeds[0] != '\0' ? deeds : trouble);
		record_add(r, object, "", "");
		deeds[0] = '\0';
	}
	line(r, by, deeds, trouble, text, sizeof(text));
	f->drifts++;
	f->drift_wall_ns = clock_wall_ns();
	for (unsigned i = 0; i < r->n; i++) {
		struct event *ev = &r->list[i];

		ev->wall_ns = f->drift_wall_ns;
		ev->verdict = EV_DENY;
		ev->code = (uint8_t)what;
		ev->value = gap_us;
		ev->count = i + 1 == r->n ? r->more + 1 : 1;
		event_say(ev, EVENT_BY, by);
		event_send(&f->events, ev);
	}
	m.drift.text = text;
	(void)msg_send(f->control, 0, &m, NULL, 0);
	if (what == DRIFT_SHUT && f->shut_told_ns == 0)
		f->shut_told_ns = clock_mono().ns;
}

void record_opened(struct enforce *f)
{
	struct event ev = event_new(EVENT_DRIFT, clock_wall_ns());
	char span[40];

	if (f->shut_told_ns == 0)
		return;
	snprintf(span, sizeof(span), "%.1f s", (double)(clock_mono().ns - f->shut_told_ns) / 1e9);
	f->shut_told_ns = 0;
	ev.code = DRIFT_OPENED;
	ev.count = 1;
	event_say(&ev, EVENT_OBJECT, span);
	event_send(&f->events, &ev);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/role_private.h"

#include "appliance/wire/event_words.h"

const char *wait_class_word(enum wait_class c)
{
	static const char *const words[WAIT_CLASSES] = {
		[WAIT_POLICY] = "policy",
		[WAIT_BOX] = "box",
		[WAIT_OTHER] = "other",
		[WAIT_TRAFFIC] = "traffic",
	};

	return words[c];
}

enum wait_class wait_class_of(const struct event *e)
{
	switch ((enum event_kind)e->kind) {
	case EVENT_POLICY:
		return WAIT_POLICY;
	case EVENT_DRIFT:
	case EVENT_ROLE:
	case EVENT_MACHINE:
		return WAIT_BOX;
	case EVENT_ACCOUNT:
		/* Anybody on the network can cause refused logins as often as he likes. */
		return e->code == ACCOUNT_REFUSED || e->code == ACCOUNT_LOCKED || e->code == ACCOUNT_FORBIDDEN ||
				       e->code == ACCOUNT_ANOTHER_TIME
			       ? WAIT_TRAFFIC
			       : WAIT_BOX;
	case EVENT_DROP:
	case EVENT_PDU:
	case EVENT_FLOW:
	case EVENT_PASSED:
	case EVENT_WEAK:
	case EVENT_UNDECLARED:
	case EVENT_LOGIN:
		return WAIT_TRAFFIC;
	case EVENT_LOST:
	case EVENT_DECIDED:
	case EVENT_COUNTS:
	case EVENT_ACCESS:
	case EVENT_DEVICE:
	case EVENT_SILENCE:
	case EVENT_ATTACK:
	case EVENT_NONE:
	case EVENT_KIND_COUNT:
		break;
	}
	return event_severity(e->kind, e->code) == EVENT_SERIOUS ? WAIT_BOX : WAIT_OTHER;
}

static bool says_lost(const struct event *e)
{
	return e->kind == EVENT_LOST && e->code == LOST_UNSENT;
}

static void drop(struct wait *w, const struct event *e, enum wait_class c)
{
	struct wait_dropped *d = &w->dropped;

	if (d->first_ns == 0 || e->wall_ns < d->first_ns)
		d->first_ns = e->wall_ns;
	if (e->wall_ns > d->last_ns)
		d->last_ns = e->wall_ns;
	d->of[c]++;
	if (c == WAIT_TRAFFIC)
		d->packets += e->count;
	if (says_lost(e))
		d->lost += e->count;
}

static void set_free(struct wait *w, struct wait_record *r)
{
	w->n[wait_class_of(&r->event)]--;
	r->number = 0;
}

/* The newest record of the least serious class, if that is less serious than `c`. Reports of lost
 * records are not taken. */
static struct wait_record *least_grave(struct wait *w, enum wait_class c)
{
	for (enum wait_class least = WAIT_CLASSES; least-- > c + 1;) {
		struct wait_record *newest = NULL;

		for (size_t i = 0; i < WAIT_SLOTS && w->n[least] > 0; i++) {
			struct wait_record *r = &w->slots[i];

			if (r->number != 0 && wait_class_of(&r->event) == least && !says_lost(&r->event) &&
			    (newest == NULL || r->number > newest->number))
				newest = r;
		}
		if (newest != NULL)
			return newest;
	}
	return NULL;
}

static struct wait_record *place_for(struct wait *w, enum wait_class c)
{
	struct wait_record *r = NULL;

	if (wait_count(w) < WAIT_SLOTS) {
		for (size_t i = 0; r == NULL; i++)
			r = w->slots[i].number == 0 ? &w->slots[i] : NULL;
		return r;
	}
	r = least_grave(w, c);
	if (r != NULL) {
		drop(w, &r->event, wait_class_of(&r->event));
		set_free(w, r);
	}
	return r;
}

static bool joined(struct wait *w, const struct event *e, enum role from)
{
	for (size_t i = 0; i < WAIT_SLOTS && says_lost(e); i++) {
		struct wait_record *r = &w->slots[i];

		if (r->number != 0 && r->from == from && says_lost(&r->event)) {
			r->event.count += e->count;
			r->event.wall_ns = e->wall_ns;
			return true;
		}
	}
	return false;
}

void wait_in(struct wait *w, const struct event *e, enum role from, uint64_t records)
{
	enum wait_class c = wait_class_of(e);
	struct wait_record *r;

	if (joined(w, e, from))
		return;
	r = place_for(w, c);
	if (r == NULL) {
		drop(w, e, c);
		return;
	}
	*r = (struct wait_record){ *e, from, records, ++w->numbers };
	w->n[c]++;
}

const struct wait_record *wait_first(const struct wait *w, enum wait_class to)
{
	const struct wait_record *first = NULL;

	for (enum wait_class c = 0; c <= to && c < WAIT_CLASSES; c++) {
		for (size_t i = 0; i < WAIT_SLOTS && w->n[c] > 0; i++) {
			const struct wait_record *r = &w->slots[i];

			if (r->number != 0 && wait_class_of(&r->event) == c &&
			    (first == NULL || r->number < first->number))
				first = r;
		}
		if (first != NULL)
			return first;
	}
	return NULL;
}

void wait_taken(struct wait *w, const struct wait_record *r)
{
	set_free(w, &w->slots[r - w->slots]);
}

void wait_drop(struct wait *w, enum wait_class kept)
{
	for (size_t i = 0; i < WAIT_SLOTS; i++) {
		struct wait_record *r = &w->slots[i];

		if (r->number == 0 || wait_class_of(&r->event) <= kept)
			continue;
		drop(w, &r->event, wait_class_of(&r->event));
		set_free(w, r);
	}
}

size_t wait_count(const struct wait *w)
{
	size_t n = 0;

	for (enum wait_class c = 0; c < WAIT_CLASSES; c++)
		n += w->n[c];
	return n;
}

uint64_t wait_dropped(const struct wait *w)
{
	uint64_t n = 0;

	for (enum wait_class c = 0; c < WAIT_CLASSES; c++)
		n += w->dropped.of[c];
	return n;
}

void wait_told(struct wait *w)
{
	w->dropped = (struct wait_dropped){ 0 };
}

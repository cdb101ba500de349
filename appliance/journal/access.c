/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/access.h"

#include <stdio.h>
#include <string.h>

#define MANY "more questions"

void access_filter_text(const struct event_filter *f, char out[EVENT_TEXT])
{
	static const char *const words[FILTER_KEYS] = {
#define FILTER(id, word) [id] = (word),
#include "appliance/wire/filter.def"
	};
	char text[FILTER_KEYS * (FILTER_TEXT + 16u)];
	size_t n = 0;
	struct event cut;

	text[0] = 0;
	for (unsigned k = 0; k < FILTER_KEYS; k++)
		/* Times are cut short to hours or minutes. Otherwise each question of a reader who
		 * always asks for the last day would be a new one. */
		if (f->text[k][0] != 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %.*s", n > 0 ? ", " : "", words[k],
					      k == FILTER_SINCE	  ? 13
					      : k == FILTER_UNTIL ? 16
								  : (int)FILTER_TEXT,
					      f->text[k]);
	event_say(&cut, EVENT_OBJECT, text);
	memcpy(out, cut.text[EVENT_OBJECT], EVENT_TEXT);
}

static bool same_reader(const struct access_reader *a, const struct access_reader *b)
{
	return a->web == b->web && addr_cmp(&a->from, &b->from) == 0 && strcmp(a->by, b->by) == 0;
}

/* The slot of this question; NULL = there is none yet. When the reader has too many different
 * questions, *what is set to MANY, and the slot is the one for all further questions of this
 * reader. */
static struct access_slot *slot_of(struct access *a, const struct access_reader *who, const char **what)
{
	unsigned own = 0;

	for (struct access_slot *s = a->slots; s < a->slots + ACCESS_SLOTS; s++) {
		if (!s->used || !same_reader(&s->who, who))
			continue;
		if (strcmp(s->what, *what) == 0)
			return s;
		own++;
	}
	if (own < ACCESS_EACH || strcmp(*what, MANY) == 0)
		return NULL;
	*what = MANY;
	return slot_of(a, who, what);
}

static void slot_event(struct access_slot *s, struct event *ret)
{
	*ret = event_new(EVENT_ACCESS, s->wall_ns);
	ret->code = s->who.web ? ACCESS_OVER_WEB : ACCESS_AT_BOX;
	ret->client = s->who.from;
	ret->count = s->records;
	ret->value = s->reads;
	event_say(ret, EVENT_BY, s->who.by);
	event_say(ret, EVENT_OBJECT, s->what);
	s->reads = s->records = 0;
	s->told = true;
}

/* A free slot. If there is none, the slot that is due first is reused: *ret is its pending
 * record. */
static struct access_slot *new_slot(struct access *a, struct event *ret, bool *ret_told)
{
	struct access_slot *first = &a->slots[0];

	for (size_t i = 0; i < ACCESS_SLOTS; i++) {
		if (!a->slots[i].used)
			return &a->slots[i];
		if (a->slots[i].due_ns < first->due_ns)
			first = &a->slots[i];
	}
	*ret_told = first->reads > 0;
	if (*ret_told)
		slot_event(first, ret);
	return first;
}

bool access_in(struct access *a, const struct access_reader *who, const char *what, uint64_t records, uint64_t fresh,
	       uint64_t now_ns, uint64_t wall_ns, struct event *ret)
{
	struct access_slot *s = slot_of(a, who, &what);
	bool told = false;

	if (s == NULL) {
		s = new_slot(a, ret, &told);
		*s = (struct access_slot){ .used = true, .who = *who, .due_ns = now_ns + ACCESS_FIRST_NS };
		snprintf(s->what, sizeof(s->what), "%s", what);
	}
	s->wall_ns = wall_ns;
	s->reads++;
	s->records += records;
	s->asked = true;
	s->fresh |= fresh > 0;
	return told;
}

bool access_out(struct access *a, uint64_t now_ns, bool all, struct event *ret)
{
	for (struct access_slot *s = a->slots; s < a->slots + ACCESS_SLOTS; s++) {
		bool ends = all || !s->asked, tells = s->reads > 0 && (!s->told || s->fresh || ends);

		if (!s->used || (!all && now_ns < s->due_ns))
			continue;
		if (tells)
			slot_event(s, ret);
		s->due_ns = now_ns + ACCESS_AGAIN_NS;
		s->asked = s->fresh = false;
		s->used = !ends;
		if (tells)
			return true;
	}
	return false;
}

uint64_t access_due(const struct access *a)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < ACCESS_SLOTS; i++)
		if (a->slots[i].used && a->slots[i].due_ns < due)
			due = a->slots[i].due_ns;
	return due;
}

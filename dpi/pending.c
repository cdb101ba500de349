/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/pending.h"

#include <string.h>

#include "appliance/wire/evaluate.h"

static struct pending *list_of(const struct enforcer *e, void *state)
{
	return (struct pending *)((char *)state + e->open.list);
}

static struct pending_entry *entry_at(void *entries, size_t size, uint32_t i)
{
	return (struct pending_entry *)((char *)entries + i * size);
}

static struct pending_entry *entry_of(const struct enforcer *e, void *state, uint32_t i)
{
	return entry_at((char *)state + e->open.entries, e->open.size, i);
}

/* How many entries the list has; an enforcer without a list remembers nothing. */
static uint32_t entries(const struct enforcer *e, void *state)
{
	return e->open.max > 0 ? list_of(e, state)->n : 0;
}

static void entry_forget(struct pending *p, void *entries, size_t size, uint32_t i)
{
	memmove(entry_at(entries, size, i), entry_at(entries, size, i + 1u), (p->n - i - 1u) * size);
	p->n--;
}

/* The order in which entries are dropped: first overtaken requests, then refused ones (which are
 * remembered only if a refusal does not end the session), then requests that have waited long. */
static unsigned entry_rank(const struct pending_entry *w)
{
	return w->expendable ? 3u : w->reason != R_ALLOWED ? 2u : w->aged >= PENDING_AGED ? 1u : 0;
}

/* Makes room for one more entry. False: all entries are still to be answered. */
static bool make_room(const struct enforcer *e, void *state)
{
	struct pending *p = list_of(e, state);
	const struct pending_entry *w;
	uint32_t i = 0;

	if (p->n < e->open.max)
		return true;
	for (uint32_t k = 1; k < p->n; k++)
		if (entry_rank(entry_of(e, state, k)) > entry_rank(entry_of(e, state, i)))
			i = k;
	w = entry_of(e, state, i);
	if (entry_rank(w) == 0)
		return false;
	/* its answer may still come */
	p->unread |= w->reason != R_ALLOWED;
	if (entry_rank(w) == 1 && p->unseen < e->open.max)
		p->unseen++;
	entry_forget(p, (char *)state + e->open.entries, e->open.size, i);
	return true;
}

bool pending_room(const struct enforcer *e, void *state, struct pdu *ret)
{
	struct pending *p = list_of(e, state);

	if (!make_room(e, state) && ret->reason == R_ALLOWED)
		ret->reason = e->pending;
	pending_seen(e, state);
	if (p->n < e->open.max)
		return true;
	/* a request that has to wait does not pass now, so it gets no answer */
	p->unread |= ret->reason != e->pending;
	return false;
}

void pending_seen(const struct enforcer *e, void *state)
{
	struct pending *p = list_of(e, state);

	if (p->unseen == UNSEEN_ANY)
		p->unseen = (uint8_t)e->open.max;
}

void pending_overtake(void *entries, size_t size, uint32_t i)
{
	while (i > 0)
		entry_at(entries, size, --i)->expendable = 1;
}

void pending_answered(struct pending *p, void *entries, size_t size, uint32_t i)
{
	entry_forget(p, entries, size, i);
	if (p->n == 0 && p->unseen != UNSEEN_ANY)
		p->unseen = 0; /* earlier requests have been answered, or will not be */
}

bool pending_answered_unseen(struct pending *p, enum reason unseen, enum reason unread, struct pdu *ret)
{
	if (p->unseen == 0)
		return false;
	if (p->unseen != UNSEEN_ANY)
		p->unseen--;
	ret->allowed = !p->unread;
	ret->reason = p->unread ? unread : unseen;
	return true;
}

void pending_notice_table(const struct enforcer *e, void *state, const struct command_table *t)
{
	struct pending *p = list_of(e, state);

	if (e->open.max == 0 || memcmp(p->table, t->digest, sizeof(p->table)) == 0)
		return;
	memcpy(p->table, t->digest, sizeof(p->table));
	for (uint32_t i = 0; i < p->n; i++)
		entry_of(e, state, i)->choice = NO_CHOICE;
	if (e->new_table != NULL)
		e->new_table(state);
}

void pending_age(const struct enforcer *e, void *state)
{
	for (uint32_t i = 0; i < entries(e, state); i++)
		entry_of(e, state, i)->aged = entry_of(e, state, i)->aged > 0 ? PENDING_AGED : 1u;
}

void pending_crowd(const struct enforcer *e, void *state)
{
	for (uint32_t i = 0; i < e->open.max && entries(e, state) == e->open.max; i++)
		entry_of(e, state, i)->aged = PENDING_AGED;
}

void pending_missed(const struct enforcer *e, void *state, bool unread)
{
	if (e->open.max > 0) {
		struct pending *p = list_of(e, state);

		p->unread = p->unread || unread;
		p->unseen = UNSEEN_ANY;
	}
	for (uint32_t i = 0; i < entries(e, state); i++)
		entry_of(e, state, i)->expendable = 1; /* its answer may have passed unseen */
	if (e->missed != NULL)
		e->missed(state);
}

void pending_clear(const struct enforcer *e, void *state)
{
	if (e->open.max > 0)
		list_of(e, state)->n = 0;
	if (e->all_answered != NULL)
		e->all_answered(state);
}

size_t pending_state_used(const struct enforcer *e, const void *state)
{
	const struct pending *p = (const struct pending *)((const char *)state + e->open.list);

	return e->state_used != NULL ? e->state_used(state) : e->open.entries + (size_t)p->n * e->open.size;
}

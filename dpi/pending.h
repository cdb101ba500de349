/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait for their answers, as an enforcer remembers them: a list in its state, oldest first, of entries that are the
 * protocol's own and begin with struct pending_entry.
 *
 * An answer may never come: some requests have none, devices and datagrams are lost. So an entry that was overtaken (a later
 * request was answered) may be forgotten when room is short, and so may one that has waited for long. Refused requests are remembered as well: where refusals do not end the
 * flow (observe, replay of a capture) their answers do come, and are refused for their request's reason. Pure.
 */
#ifndef SEKISHO_DPI_PENDING_H
#define SEKISHO_DPI_PENDING_H

#include <string.h>

#include "appliance/wire/evaluate.h"

#define UNSEEN_ANY 255u /* no request was seen since bytes were missed: whatever comes answers one from before */

#define PENDING_AGED 2u /* how often its list was aged while it was there */

struct pending_entry {
	uint16_t choice;	/* of the ruling that decided it */
	uint8_t reason;		/* enum reason; R_ALLOWED when it passed */
	uint8_t expendable : 1; /* overtaken, or one that need not be answered */
	uint8_t aged : 2;	/* PENDING_AGED: nobody waits for it any more */
};

_Static_assert(REASON_COUNT <= 256, "a reason must fit into an entry");

/* What an enforcer's state holds beside its list of entries. */
struct pending {
	uint8_t table[4]; /* start of the digest that the choices belong to */
	uint8_t unseen;	  /* how many more answers may belong to requests that went by unseen */
	bool unread;	  /* ... or to requests that were refused, or could not be read */
	uint32_t n;	  /* entries */
};

/* Both together; each enforcer says once where its own are. */
struct pending_list {
	struct pending *is;
	void *entries;
	size_t size;  /* of an entry */
	uint32_t max; /* how many there may be, below UNSEEN_ANY */
};

static inline struct pending_entry *pending_at(struct pending_list l, uint32_t i)
{
	return (struct pending_entry *)((char *)l.entries + i * l.size);
}

/* Choices of another table mean nothing in this one; what they allowed stays allowed. True: it is another. */
static inline bool pending_notice_table(struct pending_list l, const struct command_table *t)
{
	if (memcmp(l.is->table, t->digest, sizeof(l.is->table)) == 0)
		return false;
	memcpy(l.is->table, t->digest, sizeof(l.is->table));
	for (uint32_t i = 0; i < l.is->n; i++)
		pending_at(l, i)->choice = NO_CHOICE;
	return true;
}

static inline void pending_forget(struct pending_list l, uint32_t i)
{
	memmove(pending_at(l, i), pending_at(l, i + 1), (l.is->n - i - 1u) * l.size);
	l.is->n--;
}

/* Some time has passed. `now`: all of them give up their places when there is need. */
static inline void pending_age(struct pending_list l, bool now)
{
	for (uint32_t i = 0; i < l.is->n; i++)
		pending_at(l, i)->aged = now || pending_at(l, i)->aged > 0 ? PENDING_AGED : 1u;
}

/* How readily an entry gives up its place: what was overtaken, what was refused and is there only since nothing is stopped, what waits for long. */
static inline unsigned pending_rank(const struct pending_entry *e)
{
	return e->expendable ? 3u : e->reason != R_ALLOWED ? 2u : e->aged >= PENDING_AGED ? 1u : 0;
}

/* For one more. False: all of them are still due. */
static inline bool pending_make_room(struct pending_list l)
{
	uint32_t i = 0;

	if (l.is->n < l.max)
		return true;
	for (uint32_t k = 1; k < l.is->n; k++)
		if (pending_rank(pending_at(l, k)) > pending_rank(pending_at(l, i)))
			i = k;
	if (pending_rank(pending_at(l, i)) == 0)
		return false;
	l.is->unread |= pending_at(l, i)->reason != R_ALLOWED; /* should its answer come after all */
	if (pending_rank(pending_at(l, i)) == 1 && l.is->unseen < l.max)
		l.is->unseen++;
	pending_forget(l, i);
	return true;
}

/* A request was seen: what went by unseen is older, and no more than may wait. */
static inline void pending_seen(struct pending_list l)
{
	if (l.is->unseen == UNSEEN_ANY)
		l.is->unseen = (uint8_t)l.max;
}

/* Number `i` was answered: it is forgotten. Which older ones that overtakes is the protocol's to say. */
static inline void pending_answered(struct pending_list l, uint32_t i)
{
	pending_forget(l, i);
	if (l.is->n == 0 && l.is->unseen != UNSEEN_ANY)
		l.is->unseen = 0; /* what was asked before has been answered, or never will be */
}

/* An answer came to a request that nobody saw. */
static inline void pending_answered_unseen(struct pending *p)
{
	if (p->unseen != UNSEEN_ANY)
		p->unseen--;
}

/* Bytes were missed; `unread`: a request among them may have been refused, or could not be read. */
static inline void pending_missed(struct pending_list l, bool unread)
{
	l.is->unread = l.is->unread || unread;
	l.is->unseen = UNSEEN_ANY;
	for (uint32_t i = 0; i < l.is->n; i++)
		pending_at(l, i)->expendable = 1; /* its answer may have gone by */
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait for their answers, as an enforcer remembers them: a list in its state, oldest
 * first, of entries that are the protocol's own and begin with struct pending_entry.
 *
 * An answer may never come: some requests have none, devices fail and datagrams are lost. So when
 * room is short an entry may be dropped if a later request was answered, or if it has waited for
 * long. Refused requests are remembered as well: where refusals do not end the flow (observe,
 * replay of a capture) their answers do come, and are refused for their request's reason. Pure.
 */
#ifndef SEKISHO_DPI_PENDING_H
#define SEKISHO_DPI_PENDING_H

#include <string.h>

#include "appliance/wire/evaluate.h"

/* no request was seen since bytes were missed: any answer belongs to an earlier request */
#define UNSEEN_ANY 255u

#define PENDING_AGED 2u /* an entry counts as lost when its list has been aged so often */

struct pending_entry {
	uint16_t choice;	/* choice of the ruling that decided the request */
	uint8_t reason;		/* enum reason; R_ALLOWED when it passed */
	uint8_t expendable : 1; /* a later request was answered, or this one need not be answered */
	uint8_t aged : 2;	/* PENDING_AGED: its answer is not expected any more */
};

_Static_assert(REASON_COUNT <= 256, "a reason must fit into an entry");

/* What an enforcer's state holds beside its list of entries. */
struct pending {
	uint8_t table[4]; /* first bytes of the digest of the table that the choices belong to */
	uint8_t unseen;	  /* how many further answers may belong to requests that passed unseen */
	/* answers may also belong to requests that were refused or could not be read */
	bool unread;
	uint32_t n; /* entries */
};

/* A list with its entries. Each enforcer has one function that makes it from its state. */
struct pending_list {
	struct pending *is;
	void *entries;
	size_t size;  /* of an entry */
	uint32_t max; /* the largest number of entries, below UNSEEN_ANY */
};

static inline struct pending_entry *pending_at(struct pending_list l, uint32_t i)
{
	return (struct pending_entry *)((char *)l.entries + i * l.size);
}

/* Notices a change of table. Choices of the old table mean nothing in the new one; requests that it
 * allowed stay allowed. True: the table has changed. */
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

/* Ages all entries, because some time has passed. `now`: all of them may be dropped when room
 * is short. */
static inline void pending_age(struct pending_list l, bool now)
{
	for (uint32_t i = 0; i < l.is->n; i++)
		pending_at(l, i)->aged = now || pending_at(l, i)->aged > 0 ? PENDING_AGED : 1u;
}

/* The order in which entries are dropped: first overtaken requests, then refused ones (which are
 * remembered only if a refusal does not end the session), then requests that have waited long. */
static inline unsigned pending_rank(const struct pending_entry *e)
{
	return e->expendable ? 3u : e->reason != R_ALLOWED ? 2u : e->aged >= PENDING_AGED ? 1u : 0;
}

/* Makes room for one more entry. False: all entries are still to be answered. */
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
	/* its answer may still come */
	l.is->unread |= pending_at(l, i)->reason != R_ALLOWED;
	if (pending_rank(pending_at(l, i)) == 1 && l.is->unseen < l.max)
		l.is->unseen++;
	pending_forget(l, i);
	return true;
}

/* A request was seen. Requests that passed unseen are older, and there are at most `max`
 * of them. */
static inline void pending_seen(struct pending_list l)
{
	if (l.is->unseen == UNSEEN_ANY)
		l.is->unseen = (uint8_t)l.max;
}

/* Entry `i` was answered, and is removed. The protocol decides which older entries
 * this overtakes. */
static inline void pending_answered(struct pending_list l, uint32_t i)
{
	pending_forget(l, i);
	if (l.is->n == 0 && l.is->unseen != UNSEEN_ANY)
		l.is->unseen = 0; /* earlier requests have been answered, or will not be */
}

/* An answer came to a request that was not seen. */
static inline void pending_answered_unseen(struct pending *p)
{
	if (p->unseen != UNSEEN_ANY)
		p->unseen--;
}

/* Bytes were missed. `unread`: they may contain a request that was refused or could not be read. */
static inline void pending_missed(struct pending_list l, bool unread)
{
	l.is->unread = l.is->unread || unread;
	l.is->unseen = UNSEEN_ANY;
	for (uint32_t i = 0; i < l.is->n; i++)
		pending_at(l, i)->expendable = 1; /* its answer may have gone by */
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait for their answers. An enforcer remembers them in a list in its state, oldest
 * first. The type of the entries is the protocol's own, and begins with struct pending_entry. The
 * enforcer's `open` says where the list is.
 *
 * An answer may never come: some requests have none, devices fail and datagrams are lost. So when
 * room is short an entry may be dropped if a later request was answered, or if it has waited for
 * long. Refused requests are remembered as well, because their answers come where refusals do not
 * end the flow (observe, replay of a capture). Such an answer is refused for the reason of its
 * request. Pure.
 */
#ifndef SEKISHO_DPI_PENDING_H
#define SEKISHO_DPI_PENDING_H

#include "dpi/protocol.h"

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

/* For an enforcer's table: the list of a state of this type, in its members `wait` and `open`, has
 * at most `most` entries (below UNSEEN_ANY). */
#define PENDING_IN(type, most)                                                                                         \
	{                                                                                                              \
		offsetof(type, wait), offsetof(type, open), sizeof(((type *)0)->open[0]), most                         \
	}

/* ---- for enforcers ---- */

/*
 * A request comes that will be answered. Makes room for its entry, which the enforcer then appends.
 * False: there is no room, and the request is not remembered; if rows allowed it, ret->reason is
 * then the enforcer's `pending`.
 */
bool pending_room(const struct enforcer *e, void *state, struct pdu *ret);
/* Notes that a request was seen. If bytes were missed, from now on only so many answers may belong
 * to requests that passed unseen as the list has entries at most. */
void pending_seen(const struct enforcer *e, void *state);
/* The requests before entry `i` may never be answered, so their entries may be dropped. `size`: of
 * an entry. */
void pending_overtake(void *entries, size_t size, uint32_t i);
/* Entry `i` was answered, and is removed. The protocol decides which older entries
 * this overtakes. */
void pending_answered(struct pending *p, void *entries, size_t size, uint32_t i);
/*
 * Handles an answer that belongs to no remembered request. False: no request passed unseen.
 * Otherwise the answer is allowed as `unseen`, or refused as `unread` if such requests may have
 * been refused.
 */
bool pending_answered_unseen(struct pending *p, enum reason unseen, enum reason unread, struct pdu *ret);

/* ---- for those who judge by an enforcer ---- */

/* Notices a change of table. Choices of the old table mean nothing in the new one; requests that it
 * allowed stay allowed. */
void pending_notice_table(const struct enforcer *e, void *state, const struct command_table *t);
/*
 * Ages waiting requests. A request that has waited since the call before the last counts as lost,
 * and may be dropped for a new one, oldest first. A late answer to it is still accepted as long as
 * it is remembered.
 */
void pending_age(const struct enforcer *e, void *state);
/* If the list is full, all requests in it count as lost. */
void pending_crowd(const struct enforcer *e, void *state);
/*
 * Bytes passed unseen, before a pick-up or in a gap of a capture. The state is kept, but is
 * incomplete from now on. A PDU that is judged again is judged with a copy of the state after this
 * call, so that it is not refused as a repetition.
 * `unread`: the bytes contain requests that could not be read. An answer to one of them must not be
 * taken for an answer to another request.
 */
void pending_missed(const struct enforcer *e, void *state, bool unread);
/* Forgets the requests, as if all had been answered. */
void pending_clear(const struct enforcer *e, void *state);
/* How many bytes of the state are in use. The bytes after them are written before they are read. */
size_t pending_state_used(const struct enforcer *e, const void *state);

#endif

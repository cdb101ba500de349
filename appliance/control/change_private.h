/* SPDX-License-Identifier: Apache-2.0 */
/* The draft and the orders in progress, for draft.c, which carries out orders about the draft, and
 * change.c, which finds out who gave an order and passes it on. */
#ifndef SEKISHO_CONTROL_CHANGE_PRIVATE_H
#define SEKISHO_CONTROL_CHANGE_PRIVATE_H

#include "appliance/control/asker.h"
#include "appliance/control/people.h"
#include "appliance/store/draft.h"

#define ORDERS_MOST 16u /* orders that may wait for accounts at a time */
/* with those that the supervisor has read, which always find a place */
#define ORDERS_ALL (ORDERS_MOST + CLIENTS_HANDED)

/* An order that waits: for accounts to say who gave it, or for the supervisor to report its
 * result. */
struct order {
	bool used;
	uint64_t serial; /* differs for each order, so an answer finds its order or none */
	struct asker asker;
	int fd; /* owned; -1 = none */
	char comment[COMMENT_BYTES];
	struct msg_change m; /* its text is `comment` */
	/* the account, once it is known; it is the same person over the web and at the machine */
	char by[BY_BYTES];
	char login[LOGIN_NAME]; /* his login, at the machine; "" = over the web */
	bool boxs;		/* the supervisor has the order */
	/* the supervisor has the order, and has been given the draft for it */
	bool goes_on;
	/* nobody waits for the answer any more, so the result of a dry run is not kept */
	bool stopped;
};

struct change {
	struct draft draft;
	bool unsaved;	     /* it is not on the disk, which is full or fails */
	uint64_t save_again; /* monotonic ns */
	struct order orders[ORDERS_ALL];
	uint64_t serial;
	/* The result of the last dry run of this revision; lost at a restart. */
	json_t *tried; /* owned; NULL = there was none */
	uint64_t tried_base, tried_ns;
	bool tried_good;
};

/* The state of the draft without its texts. Owned by the caller. */
json_t *draft_json(const struct control *s);
/* Answers an order that is not carried out, with the reason. */
void draft_refuse(struct control *s, const struct order *o, int status, enum message m, ...);
/* Carries out an order about the draft, and answers it. */
void draft_ordered(struct control *s, const struct order *o);
/* Whether an order may be carried out by the supervisor; answers with the reason if not. `alone`:
 * one person is enough; `approvers`: names of persons who may approve. */
bool draft_may_apply(struct control *s, const struct order *o, bool alone, const json_t *approvers);
/* Writes the comment of the new generation: author and approver, and after them what the person
 * typed. */
void draft_comment(const struct draft *d, const struct order *o, char out[COMMENT_BYTES]);
/* Drops the result of the last dry run, because the revision has changed. */
void draft_untried(struct change *c);

#endif

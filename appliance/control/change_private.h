/* SPDX-License-Identifier: Apache-2.0 */
/* The draft and the orders that are under way: for draft.c, which decides what an order does to the
 * draft, and change.c, which finds out who gave it and hands it on. */
#ifndef SEKISHO_CONTROL_CHANGE_PRIVATE_H
#define SEKISHO_CONTROL_CHANGE_PRIVATE_H

#include "appliance/control/control.h"
#include "appliance/store/draft.h"

#define ORDERS_MOST 16u /* that wait for accounts at a time */
#define WHO_MOST 65536u /* bytes of what accounts say of people */

/* An order of which somebody else has still to say something: accounts who gave it, or the
 * supervisor what became of it. */
struct order {
	bool used;
	uint64_t serial; /* of its question */
	struct asker asker;
	int fd; /* owned; -1 = none */
	char comment[COMMENT_BYTES];
	struct msg_change m; /* its text is `comment` */
	/* once it is known: the account, which is one person however he came */
	char by[BY_BYTES];
	char login[LOGIN_NAME]; /* at the machine: his login; "" = over the web */
	bool boxs;		/* the supervisor has it */
	bool goes_on;		/* ... and was given the draft for it */
	/* nobody waits for it: what it says of a draft that it only tried means nothing */
	bool stopped;
};

struct change {
	struct draft draft;
	struct order orders[ORDERS_MOST];
	uint64_t serial;
	/* What the last dry run of this revision came to; not kept over a start. */
	json_t *tried; /* owned; NULL = there was none */
	uint64_t tried_base, tried_ns;
	bool tried_good;
};

/* Where the draft stands, without its texts. The caller's. */
json_t *draft_json(const struct control *s);
/* The answer to an order that is not carried out, with the reason. */
void draft_refuse(struct control *s, const struct order *o, int status, enum message m, ...);
/* Carries out an order about the draft, and answers it. */
void draft_ordered(struct control *s, const struct order *o);
/* Whether an order that the supervisor carries out may go on, after saying why not. `alone`: one
 * person is enough; `approvers`: names of those who may approve. */
bool draft_may_apply(struct control *s, const struct order *o, bool alone, const json_t *approvers);
/* What the generation is called in all lists from now on. */
void draft_comment(const struct draft *d, const struct order *o, char out[COMMENT_BYTES]);
/* The last dry run is of another revision now. */
void draft_untried(struct change *c);

#endif

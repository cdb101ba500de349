/* SPDX-License-Identifier: Apache-2.0 */
/* One question and what roles have answered: for answers.c, which asks, and answers_json.c, which puts it together. */
#ifndef SEKISHO_CONTROL_ANSWERS_PRIVATE_H
#define SEKISHO_CONTROL_ANSWERS_PRIVATE_H

#include "appliance/control/control.h"

struct collect {
	enum collect_kind kind;
	unsigned passed_to; /* of COLLECT_PASS: the slot */
	bool order, handed; /* ... it is to change something, and the role has it */
	bool search;	    /* ... it looks through the records */
	struct asker asker; /* ASKER_NONE: an operation, or a web side that has died since */
	bool of_web;
	bool stopped; /* nobody waits for it: its place is free when the role has left off, which was told to */
	uint32_t id;
	uint64_t deadline, give_up; /* monotonic ns: of this asking, and of asking again or waiting on */
	uint32_t changes;	    /* how many had begun when it was asked */
	uint64_t journal_by; /* monotonic ns: the journal is waited for until then, unless its status was asked for */
	struct msg_retention retention; /* the rule that it should go by, when it was asked */
	bool box_asked;			/* the supervisor, after all others */
	bool parked;			/* not asked yet: what is in force is just being changed */
	bool waiting[ASKED], silent[ASKED];
	json_t *answer[ASKED];
};

/* What is in force is being changed, or has been since it was asked. */
bool answers_moved(const struct control *s, const struct collect *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A question and the answers of roles to it. Used by answers.c, which asks, and answers_json.c,
 * which composes the answer. */
#ifndef SEKISHO_CONTROL_ANSWERS_PRIVATE_H
#define SEKISHO_CONTROL_ANSWERS_PRIVATE_H

#include "appliance/control/answers.h"
#include "appliance/control/control.h"

struct collect {
	enum collect_kind kind;
	unsigned passed_to; /* of COLLECT_PASS: the slot */
	bool search;	    /* the question searches the records */
	struct asker asker; /* ASKER_NONE: an operation asked, or the web side has died since */
	bool of_web;
	/* the client does not wait any more. The role was told to stop; the place becomes free when
	 * it has stopped */
	bool stopped;
	uint32_t id;
	/* monotonic ns: end of this attempt, and of all repetitions and waits */
	uint64_t deadline, give_up;
	uint64_t changes; /* number of changes that had begun when the question was asked */
	/* monotonic ns: how long to wait for the journal, unless its status was asked for */
	uint64_t journal_by;
	/* the rule that the journal should follow, when it was asked */
	struct msg_retention retention;
	/* the supervisor has been asked, which comes after all others */
	bool box_asked;
	/* not asked yet, because the policy in force is being changed */
	bool parked;
	bool waiting[ASKED], silent[ASKED];
	json_t *answer[ASKED];
};

/* Whether the policy in force is being changed, or has changed since the question was asked. */
bool answers_moved(const struct control *s, const struct collect *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and questions of the supervisor. */
#ifndef SEKISHO_JOURNAL_ROLE_MESSAGES_H
#define SEKISHO_JOURNAL_ROLE_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

struct journal_role;

#define HEARING_MOST 16u

/* Messages that came during a search, to be handled in order when it is over. Texts are inside the
 * messages, so messages are not moved. */
struct journal_hearing {
	struct msg kept[HEARING_MOST];
	size_t n;
	int broken;    /* negative errno of the channel */
	uint32_t work; /* the question that is being answered */
	bool stop;     /* the asker does not wait any more */
	/* number of searches that ended because their asker did not wait any more */
	uint64_t stopped;
};

/* Reads the generations that wait. To be called before any record is read. */
void role_names(struct journal_role *j);
/* Reads all waiting messages; questions about records are queued. False: the supervisor has ended,
 * or sent a message that is not allowed. */
bool role_hear(struct journal_role *j);
/* Whether messages came meanwhile that role_hear has to handle. */
bool role_heard(const struct journal_role *j);
/* Answers one queued question, if there is one. False: the supervisor has ended. */
bool role_answer(struct journal_role *j);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What is known so far of what an operation will do to live sessions: impact.c finds it out. */
#ifndef SEKISHO_SUPERVISE_FORETOLD_H
#define SEKISHO_SUPERVISE_FORETOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/supervise/operation.h"
#include "appliance/wire/msg.h"

/* What is known of one session. */
struct foretold {
	enum { FORETOLD_NOTHING, FORETOLD_UNKNOWN, FORETOLD_BY_WORKER } state;
	struct msg_foretold_session what;
	json_t *commands; /* for people; owned */
};

struct foretelling {
	struct foretold *of; /* of each that goes on under another permit, in their order */
	size_t n;
	size_t asked, at;	  /* the workers are asked about those from the first to before the second */
	uint32_t question;	  /* id of the one that is out */
	uint64_t waiting;	  /* bit n: worker n has it and has not answered */
	uint64_t deadline;	  /* monotonic ns */
	bool silent;		  /* somebody did not answer */
	bool takes, refuses;	  /* of the workers that answered some can load the table, some cannot */
	json_t *narrowed, *ended; /* for people; owned */
	uint64_t unknown;
};

void foretold_free(struct foretelling *f); /* accepts NULL */
/* What people are told, into the answer of the operation. */
void foretold_json(const struct operation *op, json_t *answer);

#endif

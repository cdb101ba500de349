/* SPDX-License-Identifier: Apache-2.0 */
/* What an operation is made of beside its steps: what it was foretold to do, and whom it makes wait. */
#ifndef SEKISHO_SUPERVISE_OP_H
#define SEKISHO_SUPERVISE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/supervise/operation.h"
#include "appliance/wire/msg.h"

/*
 * What control asks of the compiler, a backup's sealing and what people ask of the policy, has its place one after the other while no operation wants it. An operation
 * that changes what is in force goes before it, and it begins anew; a dry run waits for a sealing, since whoever repeats one would keep every backup from its end.
 */

struct supervisor; /* supervise.h */

#define ERRANDS 16u /* beside the sealing, which has the first place */

struct errands {
	struct errand {
		uint32_t id; /* of control's request, 0 = none */
		struct msg_body body;
		int fds[2]; /* owned while there is one */
		size_t n_fds;
	} of[1 + ERRANDS];
	size_t last; /* begun */
	bool runs;   /* ... and not ended */
};

/* Takes its descriptors. One sealing at a time: another one is nobody's any more. */
void errand_sealing(struct supervisor *s, struct msg *m);
/* A question about the policy in force. */
void errand_question(struct supervisor *s, struct msg *m);
/* By whom it was done: its answer goes to control. */
void errand_answered(struct supervisor *s, struct msg *m);
/* The compiler's process has ended. */
void errands_died(struct supervisor *s);
void errand_stop(struct supervisor *s, uint32_t id);
/* An operation wants the compiler: it is ended and waits; or a sealing goes first, if it waits. */
void errands_make_way(struct supervisor *s);
void errands_sealing_first(struct supervisor *s);
/* What waits begins when nothing else is done. */
void errands_due(struct supervisor *s);

/* What is known so far of what an operation will do to live sessions: impact.c finds it out. */

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

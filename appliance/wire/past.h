/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a generation in the history. */
#ifndef SEKISHO_WIRE_PAST_H
#define SEKISHO_WIRE_PAST_H

enum generation_state {
	GEN_WAITING = 0,   /* on trial: in force until it is confirmed or its time ends */
	GEN_CONFIRMED = 1, /* was confirmed, now or earlier */
	/* no longer in force: not confirmed in time, failed, or rolled back from */
	GEN_REVERTED = 2,
};

/* How a generation came into its state. The words are those of `history`. */
enum generation_why {
	WHY_APPLIED,   /* the apply put it on trial */
	WHY_CONFIRMED, /* a person confirmed it */
	WHY_TIMEOUT,   /* reverted: it was not confirmed in time */
	WHY_RESTART,   /* reverted: the box stopped while it was on trial */
	/* confirmed: a rollback put it in force; reverted: a rollback replaced it */
	WHY_ROLLBACK,
	WHY_CALLED_OFF, /* reverted: a rollback ended its trial */
	WHY_TAKEN_OVER, /* reverted: another apply replaced its trial */
	WHY_FAILED,	/* reverted: it could not be put into force */
	WHY_COUNT
};

#define BY_BYTES 32u
#define COMMENT_BYTES 256u /* with the NUL */
/* bytes of a struct sentence: what the generation made possible and impossible */
#define MEANT_BYTES 1600u

#endif

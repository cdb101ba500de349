/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a generation, as the history has it. */
#ifndef SEKISHO_WIRE_PAST_H
#define SEKISHO_WIRE_PAST_H

enum generation_state {
	GEN_WAITING = 0,   /* on trial: in force until it is confirmed or its time is over */
	GEN_CONFIRMED = 1, /* was confirmed, now or earlier */
	GEN_REVERTED = 2,  /* given up: not confirmed in time, failed, or rolled back from */
};

/* How a generation came to the state it has; the words are those of `history`. */
enum generation_why {
	WHY_APPLIED,	/* by the apply itself */
	WHY_CONFIRMED,	/* by a confirm */
	WHY_TIMEOUT,	/* given up: nobody confirmed in time */
	WHY_RESTART,	/* given up: the box ended while it was on trial */
	WHY_ROLLBACK,	/* confirmed: gone back to; reverted: rolled back from */
	WHY_CALLED_OFF, /* given up: a rollback ended its trial */
	WHY_TAKEN_OVER, /* given up: another apply took the place of its trial */
	WHY_FAILED,	/* given up: it could not be put into force */
	WHY_COUNT
};

#define BY_BYTES 32u
#define COMMENT_BYTES 256u /* with the NUL */
#define MEANT_BYTES 1600u  /* a struct sentence: what it made possible and impossible */

#endif

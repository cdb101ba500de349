/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a generation in the history, and of the clock (store/moment.h). */
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
#define WHY(id, ...) id,
#include "appliance/wire/why.def"
	WHY_COUNT
};

#define MOMENT_BOOT 40u /* bytes of a boot id with its NUL */

/* The record of the latest moment. */
enum moment_found { MOMENT_NONE, MOMENT_DAMAGED, MOMENT_READ };

/* Whether the clock is trusted, and why not. */
enum clock_wait {
	CLOCK_TRUSTED,
	CLOCK_WAITS_EARLIER, /* the clock shows an earlier time than the record */
	CLOCK_WAITS_SOURCE,  /* time sources are named, and the kernel's clock follows none */
	CLOCK_WAITS_BATTERY, /* no time source, and the battery-backed clock shows another day */
	CLOCK_WAITS_RECORD,  /* no time source, and the record cannot be read */
	/* conduits with an end were closed, and no daemon runs that could open them */
	CLOCK_WAITS_DAEMON,
	CLOCK_WAITS
};

#define BY_BYTES 32u
#define COMMENT_BYTES 256u /* with the NUL */
/* bytes of a struct sentence: what the generation made possible and impossible */
#define MEANT_BYTES 1600u
#define MEANT_LINES 3u /* sentences of the short form */

#endif

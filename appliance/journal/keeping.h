/* SPDX-License-Identifier: Apache-2.0 */
/* Old files: how long they are kept, what holds them, and why the oldest stays. */
#ifndef SEKISHO_JOURNAL_KEEPING_H
#define SEKISHO_JOURNAL_KEEPING_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/journal/closed.h"
#include "appliance/journal/hold.h"

struct keeping {
	struct keep_rule rule;
	/* monotonic ns: when to look next whether the oldest file is to be deleted; 0 = there is no
	 * rule */
	uint64_t at;
	/* monotonic ns: when to look next whether the open file is a day old; 0 = not set yet */
	uint64_t turn_at;
	uint64_t told_last; /* number of the last record whose deletion was recorded */
	bool told_signed;   /* the record of that deletion is signed */
	/* monotonic ns: the earliest time of the next deletion for room */
	uint64_t room_at;
	/* why the last round could not delete the oldest file or find out whether it is due; "" =
	 * the round had no error */
	char stuck[ERR_TEXT];
	struct holds holds;
	bool held; /* a hold is the reason why the oldest file stays */
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a flow with an enforcer has beside its stream. For command.c, companion.c, change.c and fresh.c. */
#ifndef SEKISHO_DPI_INSPECT_STATE_H
#define SEKISHO_DPI_INSPECT_STATE_H

#include "dpi/inspect/count.h"
#include "dpi/inspect/deeds.h"

/*
 * A rest of a PDU that comes so long after its beginning: some receivers no longer wait for it, however often a few bytes came.
 * Half of what the least patient one is known to wait, since one segment may need longer than another from here to it.
 */
#define LATE_NS 50000000u

#define AGE_NS (5u * SECOND_NS) /* a request that waited once or twice as long has lost its answer */

struct command_state {
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX];
	const struct enforcer *enforcer;
	uint64_t segment_ns;	  /* when the client's last new bytes came */
	uint64_t begun_ns, begun; /* its last PDU that came in several segments: when the first did, where it lies */
	uint64_t aged_ns;	  /* when its requests were aged last */
	bool opens;		  /* it opened something for others of its pair of hosts */
	struct tally tally;
	struct deeds deeds;   /* what the client has asked for and got since the flow began */
	struct deed unopened; /* observed: datagrams that belong to nothing that was opened here, */
	uint64_t unopened_ns; /* ... and when the last one came */
};

#endif

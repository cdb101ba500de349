/* SPDX-License-Identifier: Apache-2.0 */
/* What a flow with an enforcer has beside its stream. For command.c, repeat.c and rejudge.c. */
#ifndef SEKISHO_DPI_INSPECT_STATE_H
#define SEKISHO_DPI_INSPECT_STATE_H

#include "dpi/inspect/count.h"
#include "dpi/inspect/deeds.h"

#define LATE_NS 100000000u /* a rest of a PDU that comes later than this: some receivers no longer wait for it */

struct command_state {
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX];
	const struct enforcer *enforcer;
	uint64_t segment_ns, before_ns; /* when the client's last new bytes came, and those before them */
	bool opens;			/* it opened something for others of its pair of hosts */
	struct tally tally;
	struct deeds deeds; /* what the client has asked for and got since the flow began */
};

#endif

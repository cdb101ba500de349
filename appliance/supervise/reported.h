/* SPDX-License-Identifier: Apache-2.0 */
/* What other processes said last. */
#ifndef SEKISHO_SUPERVISE_REPORTED_H
#define SEKISHO_SUPERVISE_REPORTED_H

#include <sys/types.h>

#include "appliance/supervise/counting.h"
#include "appliance/supervise/papers.h"
#include "appliance/supervise/ups.h"
#include "appliance/wire/msg.h"

struct reported {
	struct msg_clock clock; /* of enforce */
	struct paper_kept papers[PAPERS];
	struct ups_state ups;
	/* pid of the process of mgmt that last reported the state of its token; 0 = none */
	pid_t token_told;
	struct counting counting;
};

#endif

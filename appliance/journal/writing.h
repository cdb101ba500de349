/* SPDX-License-Identifier: Apache-2.0 */
/* Whether lines reach the disk, and what waits meanwhile. */
#ifndef SEKISHO_JOURNAL_WRITING_H
#define SEKISHO_JOURNAL_WRITING_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/journal/wait.h"

struct writing {
	struct wait wait;
	/* the disk cannot be written, or the reserve is incomplete: records wait */
	bool pressed;
	bool full;	   /* they wait for lack of room, not because of a failure of the disk */
	uint64_t retry_at; /* monotonic ns: the next attempt */
	uint64_t failures;
	uint64_t unwritable;	/* records that are too large for a line */
	char trouble[ERR_TEXT]; /* why the disk cannot be written, "" = it can */
};

#endif

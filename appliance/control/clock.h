/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the clock follows a source of time (clock.c). */
#ifndef SEKISHO_CONTROL_CLOCK_H
#define SEKISHO_CONTROL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/clock_source.h"
#include "appliance/store/moment.h"

struct control;

struct clock_source {
	uint64_t look_at; /* monotonic ns */
	struct clock_follow follow;
	bool read;    /* an earlier control's state was looked for */
	bool unsaved; /* the last settled state is not in the folder yet */
};

void source_due(struct control *s, uint64_t now);
uint64_t source_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */
/* Since when (wall ns) the kernel's present answer is valid; 0 = not known. */
uint64_t source_since(const struct control *s, enum clock_sync now);

#endif

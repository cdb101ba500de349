/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembers when each alarm was first seen, for alarms that the box itself does not date
 * (mgmt/state/alarms.h). An alarm that goes on keeps its time; one that is over is forgotten. Holds
 * no more entries than the last list of alarms.
 */
#ifndef SEKISHO_MGMT_STATE_SEEN_H
#define SEKISHO_MGMT_STATE_SEEN_H

#include <stdint.h>

#include "appliance/base/json.h"

struct seen {
	/* owned: key -> time; null for alarms of the first look. NULL before the first look */
	json_t *moments;
};

void seen_free(struct seen *s);
/* Takes the alarms at the time `wall_ns` (alarms_find), and adds "seen" to each. */
void seen_note(struct seen *s, json_t *alarms, uint64_t wall_ns);

#endif

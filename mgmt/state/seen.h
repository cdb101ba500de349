/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each alarm was first seen, for those that the box itself does not date
 * (mgmt/state/alarms.h): what lasts keeps its moment, what is over loses it. Grows no further than
 * the alarms of one moment.
 */
#ifndef SEKISHO_MGMT_STATE_SEEN_H
#define SEKISHO_MGMT_STATE_SEEN_H

#include <stdint.h>

#include "appliance/base/json.h"

struct seen {
	/* owned: by key the moment, null where it was there at the first look; NULL before that */
	json_t *moments;
};

void seen_free(struct seen *s);
/* These are the alarms of `wall_ns` (alarms_find): each gets its "seen". */
void seen_note(struct seen *s, json_t *alarms, uint64_t wall_ns);

#endif

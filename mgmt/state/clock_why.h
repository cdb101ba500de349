/* SPDX-License-Identifier: Apache-2.0 */
/* Why the box does not trust its clock, by "clock" of the status. Pure. */
#ifndef SEKISHO_MGMT_STATE_CLOCK_WHY_H
#define SEKISHO_MGMT_STATE_CLOCK_WHY_H

#include "mgmt/state/read.h"

#define CLOCK_WHY 240u

/* "" when it is trusted. */
const char *clock_why(const json_t *clock, enum lang l, char out[CLOCK_WHY]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's knowledge of the box as JSON (docs/json.md). The caller owns the objects. */
#ifndef SEKISHO_SUPERVISE_TOLD_H
#define SEKISHO_SUPERVISE_TOLD_H

#include "appliance/base/json.h"
#include "appliance/wire/said.h"

struct supervisor;

/* The supervisor's part of control's answer to the question of this name. */
json_t *json_box(struct supervisor *s, enum box_what what);

/* Differences from box.cfg, and additional objects in the data namespace, as in "differences"
 * of verify. */
json_t *json_surroundings(const struct supervisor *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Of traffic that no conduit covers: which conduit of the effective rules comes nearest, and what
 * it lacks. */
#ifndef SEKISHO_MGMT_WORDS_NEAREST_H
#define SEKISHO_MGMT_WORDS_NEAREST_H

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

/* Whether it can be asked of this event: traffic without a conduit whose ends lie in zones. */
bool nearest_fits(const json_t *event);
/*
 * One sentence about what is in force now, which may be another policy than the event's.
 * `effective` is whole (docs/json.md), without a filter. Owned by the caller; NULL when memory is
 * out. Strings stand in it as they came.
 */
char *nearest_sentence(const json_t *event, const json_t *effective, enum lang l);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* For traffic without a conduit: finds the conduit of the effective rules that comes nearest, and
 * what it lacks. */
#ifndef SEKISHO_MGMT_WORDS_NEAREST_H
#define SEKISHO_MGMT_WORDS_NEAREST_H

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

/* Whether the event is about traffic without a conduit, between two zones. */
bool nearest_fits(const json_t *event);
/*
 * One sentence about the policy that is in force now, which may not be the one that judged the
 * event. `effective` must be complete (docs/json.md), without a filter. Owned by the caller; NULL
 * when memory is out. Strings are copied unchanged.
 */
char *nearest_sentence(const json_t *event, const json_t *effective, enum lang l);

#endif

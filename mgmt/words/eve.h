/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converts an event (docs/json.md) to EVE, the format of Suricata's events, for programs that
 * collect both. The event itself is in the member `sekisho`, because EVE has no fields for some of
 * its data. Pure.
 */
#ifndef SEKISHO_MGMT_WORDS_EVE_H
#define SEKISHO_MGMT_WORDS_EVE_H

#include "appliance/base/json.h"

/* Owned by the caller; NULL when memory is out. */
json_t *event_eve(const json_t *event);

#endif

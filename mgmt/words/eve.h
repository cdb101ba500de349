/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event (docs/json.md) in the form that Suricata gives its own (EVE), for programs that collect
 * both. What EVE has no word for stands in its member `sekisho`: the event itself. Pure.
 */
#ifndef SEKISHO_MGMT_WORDS_EVE_H
#define SEKISHO_MGMT_WORDS_EVE_H

#include "appliance/base/json.h"

/* The caller's; NULL when memory is out. */
json_t *event_eve(const json_t *event);

#endif

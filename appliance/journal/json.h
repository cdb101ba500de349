/* SPDX-License-Identifier: Apache-2.0 */
/* An event record as the JSON object of docs/json.md. Journal role only; pure. */
#ifndef SEKISHO_JOURNAL_JSON_H
#define SEKISHO_JOURNAL_JSON_H

#include "appliance/base/json.h"
#include "appliance/journal/names.h"
#include "appliance/wire/msg.h"

/* The object has no number and no hashes yet. `from` is the role whose socket the event came
 * through. A new reference; NULL: out of memory. */
json_t *event_json(const struct event *e, enum role from, const struct names *n);

#endif

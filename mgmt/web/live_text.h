/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written into a stream of server-sent events: the box's answers, as events of one line
 * each. Pure.
 */
#ifndef SEKISHO_MGMT_WEB_LIVE_TEXT_H
#define SEKISHO_MGMT_WEB_LIVE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

/* The number of a Last-Event-ID header. False for anything that we do not write; `text` may
 * be NULL. */
bool live_read_id(const char *text, uint64_t *ret);
/* How many records the box has written, by its status; false when the journal does not say. */
bool live_newest(const char *status, size_t n, uint64_t *ret);
/* Those of `records` (as /api/v1/why has them) behind `after`, each with its number as its id. */
void live_put_records(FILE *to, const json_t *records, uint64_t after);
/*
 * Of the effective rules what a map needs to tell how much flows:
 * {"time","digest","conduits":{NAME: packets}}; owned by the caller. NULL when it is no answer of
 * that kind.
 */
char *live_flow(const char *effective, size_t n);
/* An event that says how far a question is; owned by the caller, NULL without memory. */
char *live_progress_text(uint32_t ask, const struct msg_progress *p, size_t *ret_n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts in a stream of server-sent events: answers of the box, as events of one line each.
 * Pure.
 */
#ifndef SEKISHO_MGMT_WEB_LIVE_TEXT_H
#define SEKISHO_MGMT_WEB_LIVE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

/* Reads the number in a Last-Event-ID header. False for any other form than ours; `text` may be
 * NULL. */
bool live_read_id(const char *text, uint64_t *ret);
/* The number of records of the box, from its status; false when the journal does not tell it. */
bool live_newest(const char *status, size_t n, uint64_t *ret);
/* Writes the records after number `after` from `records` (in the form of /api/v1/why), each with
 * its number as id. */
void live_put_records(FILE *to, const json_t *records, uint64_t after);
/*
 * The part of the effective rules that a map needs to show traffic:
 * {"time","digest","conduits":{NAME: packets}}; owned by the caller. NULL when it is not an answer
 * of that kind.
 */
char *live_flow(const char *effective, size_t n);
/* An event with the progress of a question; owned by the caller, NULL without memory. */
char *live_progress_text(uint32_t ask, const struct msg_progress *p, size_t *ret_n);

#endif

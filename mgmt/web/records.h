/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads orders about records, devices or alarms of attacks from a browser: a person signs a review
 * of records, holds records back from deletion, accepts a device, or acknowledges an alarm. Pure,
 * except for the reply. The order does not name the person: `accounts` takes the name from the
 * session.
 */
#ifndef SEKISHO_MGMT_WEB_RECORDS_H
#define SEKISHO_MGMT_WEB_RECORDS_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

/*
 * {"order":"review","from":TIME,"until":TIME,"result":"none|findings","note":"..."},
 * {"order":"hold","from":TIME,"until":TIME|null,"reason":"..."},
 * {"order":"lift","number":N,"reason":"..."},
 * {"order":"accept|forget","number":N,"all":true|false,"reason":"..."},
 * {"order":"acknowledge","number":N,"reason":"..."} or
 * {"order":"silence","number":N,"minutes":N,"reason":"..."}; TIME is "2026-11-20T08:10:11Z". False
 * for anything else. ret->text points into `text`.
 */
bool records_read(const uint8_t *body, size_t n, struct msg_records *ret, char text[HOLD_REASON + 1]);
/* Sends the result; takes over `fd`. */
enum MHD_Result records_reply(struct MHD_Connection *c, int status, int fd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An order about the records, the devices or alarms of attacks as a browser posts it: somebody
 * signs that he has looked through a time, keeps records back from deletion, says which device he
 * knows, or that he has seen an alarm. Pure, but for the reply. In whose name it stands is not in
 * it: `accounts` says that of the session.
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
 * {"order":"acknowledge","number":N,"reason":"..."},
 * {"order":"silence","number":N,"minutes":N,"reason":"..."}, and nothing else; TIME is
 * "2026-11-20T08:10:11Z". False for anything else. `text` is what ret->text points to.
 */
bool records_read(const uint8_t *body, size_t n, struct msg_records *ret, char text[HOLD_REASON + 1]);
/* What became of it; `fd` is taken over. */
enum MHD_Result records_reply(struct MHD_Connection *c, int status, int fd);

#endif

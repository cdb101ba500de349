/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the daemon over its control socket, which lets this program's user ask how the box stands and what was recorded. */
#ifndef SEKISHO_MGMT_NOTIFY_ASK_H
#define SEKISHO_MGMT_NOTIFY_ASK_H

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

/* The answer, an object that is the caller's; NULL when none came within some seconds, or one that is of no use. */
json_t *notify_ask(const char *socket, const struct msg_body *question);

#endif

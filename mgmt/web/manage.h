/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders about accounts as a browser posts them: of an account manager about somebody else, and of anybody about his own pass phrase. Pure, but for the reply.
 * Whether it may be is for `accounts` to say. What is handed out goes through here once, to whoever ordered it, and is wiped.
 */
#ifndef SEKISHO_MGMT_WEB_MANAGE_H
#define SEKISHO_MGMT_WEB_MANAGE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

/*
 * {"order":"add","name":"...","full_name":"...","reason":"...","roles":["..."],"password":"..."}, "change" with "seen" as well;
 * {"order":"key_remove|certificate_remove","name":"...","seen":"...","label":"...","password":"..."}, every other order without "label", and nothing else.
 * False for anything else. `text` is what ret->text points to; both are to be wiped.
 */
bool manage_read(const uint8_t *body, size_t n, struct msg_manage *ret, char text[MANAGE_TEXT + 1]);
/* {"password":"...","new":"..."}, to be wiped. */
bool manage_read_passphrase(const uint8_t *body, size_t n, struct msg_passphrase *ret);
/* What became of it; `fd` is taken over. */
enum MHD_Result manage_reply(struct MHD_Connection *c, int status, int fd);

#endif

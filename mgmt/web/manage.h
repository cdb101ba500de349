/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads orders about accounts from a browser: those of an account manager about others, and those
 * of anybody about his own passphrase. Pure, except for the reply. `accounts` decides whether they
 * are allowed. Secrets in the answer are passed once to the person who gave the order, and then
 * wiped.
 */
#ifndef SEKISHO_MGMT_WEB_MANAGE_H
#define SEKISHO_MGMT_WEB_MANAGE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

/*
 * One object of these forms; false for anything else:
 *   {"order":"add","name":"...","full_name":"...","reason":"...","roles":["..."],"password":"..."}
 *   the order "change" has the same keys, and "seen"
 *   {"order":"key_remove","name":"...","seen":"...","label":"...","password":"..."}
 *   the order "certificate_remove" has the same keys; every other order has them without "label"
 * ret->text points into `text`. The caller wipes both.
 */
bool manage_read(const uint8_t *body, size_t n, struct msg_manage *ret, char text[MANAGE_TEXT + 1]);
/* {"password":"...","new":"..."}, to be wiped. */
bool manage_read_passphrase(const uint8_t *body, size_t n, struct msg_passphrase *ret);
/* Sends the result; takes over `fd`. */
enum MHD_Result manage_reply(struct MHD_Connection *c, int status, int fd);

#endif

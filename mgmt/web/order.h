/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the orders of a browser: about the draft of a policy and the policy in force, about
 * accounts, and about records. No order names its person: the box decides whether the sender may
 * order this, by the session's secret, which is passed on as well. Pure.
 */
#ifndef SEKISHO_MGMT_WEB_ORDER_H
#define SEKISHO_MGMT_WEB_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"
#include "mgmt/web/login.h"

/* bytes: a line end takes two in JSON */
#define CHANGE_BODY (CHANGE_TEXTS_MOST + CHANGE_TEXTS_MOST / 2)

struct change_request {
	struct msg_change order; /* the order without the person; its text points into `comment` */
	char comment[COMMENT_MOST + 1];
	int fd; /* sealed memfd with the texts, owned; -1 = none */
};

enum change_read { CHANGE_READ, CHANGE_NO_ORDER, CHANGE_NO_MEMORY };

/*
 * {"order": "...", "revision": N, "base": N, "to": N, "comment": "...", "confirm_s": N, "dry_run":
 * true, "take_over": true, "texts": [{"name": "...", "text": "..."}, ...], "take": ["eth0", ...],
 * "object": "asset NAME"}. Only the order is required; other members are refused, and so are texts
 * with an order that takes none. After CHANGE_READ the caller closes ret->fd.
 */
enum change_read change_read(const uint8_t *body, size_t n, struct change_request *ret);

/*
 * Orders of an account manager about others. One object of these forms; false for anything else:
 *   {"order":"add","name":"...","full_name":"...","reason":"...","roles":["..."],"password":"..."}
 *   the order "change" has the same keys, and "seen"
 *   {"order":"key_remove","name":"...","seen":"...","label":"...","password":"..."}
 *   the order "certificate_remove" has the same keys; every other order has them without "label"
 */
order_read manage_read;
/* The order of anybody about his own passphrase: {"password":"...","new":"..."}, to be wiped. */
order_read passphrase_read;

/*
 * Orders about records, devices or alarms of attacks: a person signs a review of records, holds
 * records back from deletion, accepts a device, or acknowledges an alarm.
 *
 * {"order":"review","from":TIME,"until":TIME,"result":"none|findings","note":"..."},
 * {"order":"hold","from":TIME,"until":TIME|null,"reason":"..."},
 * {"order":"lift","number":N,"reason":"..."},
 * {"order":"accept|forget","number":N,"all":true|false,"reason":"..."},
 * {"order":"acknowledge","number":N,"reason":"..."} or
 * {"order":"silence","number":N,"minutes":N,"reason":"..."}; TIME is "2026-11-20T08:10:11Z". False
 * for anything else.
 */
order_read records_read;

#endif

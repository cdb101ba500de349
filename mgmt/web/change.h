/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a browser's orders about the draft of a policy and about the policy in force, and passes
 * them on. The box decides whether the sender may order this, by the session's secret, which is
 * passed on as well.
 */
#ifndef SEKISHO_MGMT_WEB_CHANGE_H
#define SEKISHO_MGMT_WEB_CHANGE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

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
/* Sends the box's answer; takes over `fd`. */
enum MHD_Result change_reply(struct MHD_Connection *c, int status, int fd);

#endif

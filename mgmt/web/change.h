/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders about the draft of a policy and about what is in force, as a browser sends them: read here
 * and handed on. Whether whoever sends them may, the box decides with his session's secret, which
 * goes along.
 */
#ifndef SEKISHO_MGMT_WEB_CHANGE_H
#define SEKISHO_MGMT_WEB_CHANGE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

/* bytes: in JSON a line's end takes two */
#define CHANGE_BODY (CHANGE_TEXTS_MOST + CHANGE_TEXTS_MOST / 2)

struct change_request {
	struct msg_change order; /* without who it is; its text is `comment` */
	char comment[COMMENT_MOST + 1];
	int fd; /* sealed, owned; -1 = none */
};

enum change_read { CHANGE_READ, CHANGE_NO_ORDER, CHANGE_NO_MEMORY };

/*
 * {"order": "...", "revision": N, "base": N, "to": N, "comment": "...", "confirm_s": N, "dry_run":
 * true, "take_over": true,
 *  "texts": [{"name": "...", "text": "..."}, ...], "take": ["eth0", ...], "object": "asset NAME"}:
 *  all but the order may be missing; nothing else may be there, and texts only with
 * orders that take them. With CHANGE_READ `ret` is the caller's to close.
 */
enum change_read change_read(const uint8_t *body, size_t n, struct change_request *ret);
/* The box's answer. `fd` is taken over. */
enum MHD_Result change_reply(struct MHD_Connection *c, int status, int fd);

#endif

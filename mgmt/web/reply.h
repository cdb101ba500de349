/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All answers of the management role over HTTP, with their common headers: nothing is cached,
 * browsers do not guess types, and only the pages' own script runs. Owns nothing between calls.
 */
#ifndef SEKISHO_MGMT_WEB_REPLY_H
#define SEKISHO_MGMT_WEB_REPLY_H

#include <microhttpd.h>

#include "appliance/base/json.h"
#include "mgmt/web/api/routes.h"
#include "mgmt/web/pages/page.h"

enum reply_kind {
#define REPLY(id, ...) REPLY_##id,
#include "mgmt/web/reply.def"
};

enum MHD_Result reply_send(struct MHD_Connection *c, enum reply_kind kind);
enum MHD_Result reply_page(struct MHD_Connection *c, const struct page *page);
/* Takes over `text`; `type` is valid as long as the program. */
enum MHD_Result reply_text(struct MHD_Connection *c, const char *type, char *text, size_t n);
/* Sends events until `more` reports the end (libmicrohttpd's reader, see mgmt/web/live.h). */
enum MHD_Result reply_stream(struct MHD_Connection *c, MHD_ContentReaderCallback more, void *cls);
/*
 * Sends control's answer. `fd`: a sealed memfd with JSON, which is always taken over;
 * `status`: that of the command line. Unless it is an error, it is converted by `form` (NULL: sent
 * unchanged). Answers 503 if the memfd is not sealed, or the conversion fails.
 */
enum MHD_Result reply_answer(struct MHD_Connection *c, int status, int fd, const struct asked *a,
			     const struct route_form *form);

/* What a role has answered: who somebody is or a challenge, a login, an order. */
enum reply_to {
	REPLY_TO_NOBODY,
	REPLY_TO_ME,
	REPLY_TO_LOGIN,
	REPLY_TO_LOGOUT,
	REPLY_TO_KEY,
	REPLY_TO_CHANGE,
	REPLY_TO_MANAGE,
	REPLY_TO_RECORDS
};

/* Sends such an answer of a role; takes over `fd`. Secrets in it are passed once, and
 * then wiped. */
enum MHD_Result reply_said(struct MHD_Connection *c, enum reply_to to, int status, int fd);
#define REPLY_ACCOUNTS_MOST (1u << 16) /* bytes of an answer of accounts */
/* Reads the answer of a role, an object; takes over `fd`. NULL when it is invalid. */
json_t *reply_object(int fd, size_t most);

#endif

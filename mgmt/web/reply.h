/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every answer that the management role gives over HTTP, with the headers that all of them carry:
 * nothing is kept by caches, nothing is guessed about types, no script runs but the pages' own.
 * Owns nothing between calls.
 */
#ifndef SEKISHO_MGMT_WEB_REPLY_H
#define SEKISHO_MGMT_WEB_REPLY_H

#include <microhttpd.h>
#include <stdbool.h>

#include "appliance/base/json.h"
#include "mgmt/web/api/routes.h"
#include "mgmt/web/pages/page.h"

enum reply_kind {
	REPLY_BAD_REQUEST,
	REPLY_UNAUTHORIZED,
	REPLY_NOT_FOUND,
	REPLY_NOT_ALLOWED,
	REPLY_TOO_LARGE,
	REPLY_UNAVAILABLE,
	REPLY_LOGIN,	 /* nobody is logged in */
	REPLY_FORBIDDEN, /* somebody is, and may not */
	REPLY_ELSEWHERE, /* it comes from another site's page, or is no JSON */
	REPLY_POST_ONLY,
	REPLY_CROWDED, /* enough pages are open */
};

enum MHD_Result reply_send(struct MHD_Connection *c, enum reply_kind kind);
enum MHD_Result reply_page(struct MHD_Connection *c, const struct page *page);
/* Takes the reference; `cookie`: the value of Set-Cookie, NULL = none. */
enum MHD_Result reply_json(struct MHD_Connection *c, unsigned http, json_t *j, const char *cookie);
/* Takes `text`; `type` lives as long as the program. */
enum MHD_Result reply_text(struct MHD_Connection *c, const char *type, char *text, size_t n);
/* Events until `more` says that there are no more (libmicrohttpd's reader, as mgmt/web/live.h
 * has it). */
enum MHD_Result reply_stream(struct MHD_Connection *c, MHD_ContentReaderCallback more, void *cls);
/*
 * The supervisor's answer: `fd` is a sealed memfd with JSON, taken over in any case; `status` is
 * the CLI's. It goes out in `form` (NULL: as it is), as `t` was asked for, with what has been
 * `seen`, unless it is an error. Refuses (503) what is not sealed, and what cannot be put into
 * that form.
 */
enum MHD_Result reply_answer(struct MHD_Connection *c, int status, int fd, const struct target *t,
			     const struct route_form *form, struct seen *seen);

#endif

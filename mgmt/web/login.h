/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins at the pages: reads what people enter and what their browsers send afterwards, and
 * recognises requests from pages of other sites. Pure. The process accounts
 * decides who somebody is; the answer of a security key is passed on to it unchanged.
 */
#ifndef SEKISHO_MGMT_WEB_LOGIN_H
#define SEKISHO_MGMT_WEB_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

#define LOGIN_BODY 5120u /* bytes of a request's body */
#define LOGIN_COOKIE "__Host-sekisho"
#define LOGIN_SECRET 32u

/*
 * Reads the body of an order of somebody with a session into a question, and into `text` what the
 * question points to. False: it is no such order. The caller wipes both.
 */
#define ORDER_TEXT (WEBAUTHN_TEXT + 1u)
typedef bool order_read(const uint8_t *body, size_t n, struct msg_body *question, char text[ORDER_TEXT]);

/* Reads {"name":"...","password":"...","code":"..."}, or "key" or "certificate":true instead of
 * "code". False for anything else. The caller wipes both. */
bool login_read(const uint8_t *body, size_t n, struct msg_login *ret, char proof[WEBAUTHN_TEXT + 1]);
/* Reads {"order":"add","label":"...","password":"...","key":"..."}, or "remove" without "key". As
 * above. */
order_read login_read_key;
/* The text of member `key`, which belongs to the object. NULL: it is missing, too long, or has a
 * NUL in it. */
const char *login_text_of(const json_t *j, const char *key, size_t most);
/* Copies the text of member `key` without its NUL to `out`, which must be all zero. */
bool login_put(const json_t *j, const char *key, void *out, size_t most);
/* Reads the session's secret from a Cookie header. False when there is none, more than one, or one
 * in another form than ours. */
bool login_cookie(const char *header, uint8_t ret[LOGIN_SECRET]);
/* Reads "Bearer" and 64 digits. */
bool login_bearer(const char *header, uint8_t ret[LOGIN_SECRET]);
/*
 * Whether a request with an effect comes from our own pages, or from a program that is no browser.
 * The request must be JSON, because a form of another site cannot send JSON without the browser
 * asking us first. If the browser names an origin, it must be this box. NULL = no origin was named.
 */
bool login_same_origin(const char *type, const char *origin, const char *fetch_site, const char *host);
/* Reads the value of a Content-Length header: a decimal number of at most `most`, without a leading
 * zero. */
bool login_length(const char *header, size_t most, size_t *ret);

#endif

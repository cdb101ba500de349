/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People at the web side: what they type, what their browser shows afterwards, and what may come
 * from another site's page. Pure, but for the two replies. Nothing here decides who anybody is; the
 * process accounts does. What a security key has signed goes there as the browser sent it.
 */
#ifndef SEKISHO_MGMT_WEB_LOGIN_H
#define SEKISHO_MGMT_WEB_LOGIN_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

#define LOGIN_BODY 5120u /* bytes of a request's body */
#define LOGIN_COOKIE "__Host-sekisho"
#define LOGIN_SECRET 32u

/* {"name":"...","password":"...","code":"..."}, or "key" or "certificate":true in the place of
 * "code", and nothing else. False for anything else. Both are to be wiped. */
bool login_read(const uint8_t *body, size_t n, struct msg_login *ret, char proof[WEBAUTHN_TEXT + 1]);
/* {"order":"add","label":"...","password":"...","key":"..."}, or "remove" without "key".
 * The same. */
bool login_read_key(const uint8_t *body, size_t n, struct msg_key *ret, char proof[WEBAUTHN_TEXT + 1]);
/* The text of `key`, which stays the object's. NULL: there is none, or one that is too long or has
 * a NUL in it. */
const char *login_text_of(const json_t *j, const char *key, size_t most);
/* The session's secret in a Cookie header; false when there is none, more than one, or one that we
 * do not write. */
bool login_cookie(const char *header, uint8_t ret[LOGIN_SECRET]);
/* "Bearer" and 64 digits, as bytes. */
bool login_bearer(const char *header, uint8_t ret[LOGIN_SECRET]);
/*
 * A request that changes something comes from our own pages, or from no browser at all: JSON, which
 * a form of another site cannot send without asking first; and where a browser says from where it
 * comes, it says this box. NULL = it says nothing of that.
 */
bool login_same_origin(const char *type, const char *origin, const char *fetch_site, const char *host);
/* The only header of its name is a decimal length of at most `most`, without a zero in front. */
bool login_length(const char *header, size_t most, size_t *ret);

/* How HTTP says what accounts has answered. */
unsigned login_http_of(int status);
/* ... of an order. What accounts refuses before it knows who orders says nothing of "done". */
unsigned login_http_of_done(const json_t *j, int status);
/* What accounts says, an object; `fd` is taken over. NULL when it is none. */
json_t *login_answer(int fd);
/* Answers of accounts as HTTP has them; `fd` is taken over. The secret goes into the cookie and
 * nowhere else. */
enum MHD_Result login_reply_in(struct MHD_Connection *c, int status, int fd);
enum MHD_Result login_reply_out(struct MHD_Connection *c, int status, int fd);
enum MHD_Result login_reply_me(struct MHD_Connection *c, int status, int fd);
enum MHD_Result login_reply_key(struct MHD_Connection *c, int status, int fd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins at the pages: reads what people enter and what their browsers send afterwards, and
 * recognises requests from pages of other sites. Pure, except for the replies. The process accounts
 * decides who somebody is; the answer of a security key is passed on to it unchanged.
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

/* Reads {"name":"...","password":"...","code":"..."}, or "key" or "certificate":true instead of
 * "code". False for anything else. The caller wipes both. */
bool login_read(const uint8_t *body, size_t n, struct msg_login *ret, char proof[WEBAUTHN_TEXT + 1]);
/* Reads {"order":"add","label":"...","password":"...","key":"..."}, or "remove" without "key". As
 * above. */
bool login_read_key(const uint8_t *body, size_t n, struct msg_key *ret, char proof[WEBAUTHN_TEXT + 1]);
/* The text of member `key`, which belongs to the object. NULL: it is missing, too long, or has a
 * NUL in it. */
const char *login_text_of(const json_t *j, const char *key, size_t most);
/* Reads the session's secret from a Cookie header. False when there is none, more than one, or one
 * in another form than ours. */
bool login_cookie(const char *header, uint8_t ret[LOGIN_SECRET]);
/* Reads "Bearer" and 64 digits. */
bool login_bearer(const char *header, uint8_t ret[LOGIN_SECRET]);
/*
 * Whether a request with an effect comes from our own pages, or from a program that is no browser.
 * The request must be JSON, which a form of another site cannot send without being asked for
 * permission; and if the browser tells the origin, that must be this box. NULL = the browser does
 * not tell it.
 */
bool login_same_origin(const char *type, const char *origin, const char *fetch_site, const char *host);
/* Reads the only header of its name: a decimal length of at most `most`, without a leading zero. */
bool login_length(const char *header, size_t most, size_t *ret);

/* The HTTP status for an answer of accounts. */
unsigned login_http_of(int status);
/* The HTTP status for the answer to an order. If accounts refuses before it knows the person,
 * "done" is missing. */
unsigned login_http_of_done(const json_t *j, int status);
/* Reads the answer of accounts, an object; takes over `fd`. NULL when it is invalid. */
json_t *login_answer(int fd);
/* Send the answers of accounts; take over `fd`. The secret is sent only in the cookie. */
enum MHD_Result login_reply_in(struct MHD_Connection *c, int status, int fd);
enum MHD_Result login_reply_out(struct MHD_Connection *c, int status, int fd);
enum MHD_Result login_reply_me(struct MHD_Connection *c, int status, int fd);
enum MHD_Result login_reply_key(struct MHD_Connection *c, int status, int fd);

#endif

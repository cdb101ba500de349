/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "appliance/base/json.h"
#include "appliance/base/memfd.h"
#include "mgmt/web/reply.h"

#define ANSWER_MOST (1u << 16)

/* ---- requests -------------------------------------------------------------------------------- */

static bool read_digits(const char *text, uint8_t out[LOGIN_SECRET])
{
	for (size_t i = 0; i < 2u * LOGIN_SECRET; i++) {
		char c = text[i];
		int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (v < 0)
			return false;
		out[i / 2] = (uint8_t)(i % 2 == 0 ? v << 4 : out[i / 2] | v);
	}
	return true;
}

/* Copies a text of at most `most` bytes without NUL to `out`, which is zero already. */
static bool put(const json_t *j, const char *key, void *out, size_t most)
{
	const json_t *v = json_object_get(j, key);

	if (!json_is_string(v) || json_string_length(v) > most || strlen(json_string_value(v)) != json_string_length(v))
		return false;
	memcpy(out, json_string_value(v), json_string_length(v));
	return true;
}

const char *login_text_of(const json_t *j, const char *key, size_t most)
{
	const json_t *v = json_object_get(j, key);

	return json_is_string(v) && json_string_length(v) <= most &&
			       strlen(json_string_value(v)) == json_string_length(v)
		       ? json_string_value(v)
		       : NULL;
}

bool login_read(const uint8_t *body, size_t n, struct msg_login *ret, char proof[WEBAUTHN_TEXT + 1])
{
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL);
	const char *code = login_text_of(j, "code", LOGIN_CODE), *key = login_text_of(j, "key", WEBAUTHN_TEXT);
	bool certificate = json_is_true(json_object_get(j, "certificate"));
	bool ok = json_is_object(j) && json_object_size(j) == 3 && (code != NULL || key != NULL || certificate);

	memset(ret, 0, sizeof(*ret));
	ok = ok && put(j, "name", ret->name, LOGIN_NAME) && put(j, "password", ret->phrase, LOGIN_PHRASE);
	ret->kind = certificate ? PROOF_CERTIFICATE : code != NULL ? PROOF_CODE : PROOF_KEY;
	snprintf(proof, WEBAUTHN_TEXT + 1, "%s", !ok || certificate ? "" : code != NULL ? code : key);
	ret->proof = proof;
	json_decref(j);
	return ok;
}

bool login_read_key(const uint8_t *body, size_t n, struct msg_key *ret, char proof[WEBAUTHN_TEXT + 1])
{
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL);
	const char *order = login_text_of(j, "order", 8), *key = login_text_of(j, "key", WEBAUTHN_TEXT);
	bool add = order != NULL && strcmp(order, "add") == 0;
	bool ok = json_is_object(j) && order != NULL && json_object_size(j) == (add ? 4u : 3u) &&
		  (add ? key != NULL : strcmp(order, "remove") == 0);

	memset(ret, 0, sizeof(*ret));
	ok = ok && put(j, "label", ret->label, LOGIN_LABEL) && put(j, "password", ret->phrase, LOGIN_PHRASE);
	ret->order = add ? KEY_ADD : KEY_REMOVE;
	snprintf(proof, WEBAUTHN_TEXT + 1, "%s", ok && add ? key : "");
	ret->proof = proof;
	json_decref(j);
	return ok;
}

bool login_cookie(const char *header, uint8_t ret[LOGIN_SECRET])
{
	static const char name[] = LOGIN_COOKIE "=";
	const char *at = header;
	unsigned found = 0;

	while (*at != 0) {
		size_t n = strcspn(at, ";");

		if (n >= sizeof(name) - 1 && memcmp(at, name, sizeof(name) - 1) == 0) {
			if (n != sizeof(name) - 1 + 2u * LOGIN_SECRET || !read_digits(at + sizeof(name) - 1, ret))
				return false;
			found++;
		}
		at += n;
		at += *at == ';';
		at += strspn(at, " ");
	}
	return found == 1;
}

bool login_bearer(const char *header, uint8_t ret[LOGIN_SECRET])
{
	static const char scheme[] = "Bearer ";

	return strncasecmp(header, scheme, sizeof(scheme) - 1) == 0 &&
	       strlen(header) == sizeof(scheme) - 1 + 2u * LOGIN_SECRET &&
	       read_digits(header + sizeof(scheme) - 1, ret);
}

bool login_same_origin(const char *type, const char *origin, const char *fetch_site, const char *host)
{
	static const char https[] = "https://";

	if (type == NULL ||
	    (strcasecmp(type, "application/json") != 0 && strcasecmp(type, "application/json; charset=utf-8") != 0 &&
	     strcasecmp(type, "application/json;charset=utf-8") != 0))
		return false;
	if (fetch_site != NULL && strcmp(fetch_site, "same-origin") != 0)
		return false;
	if (origin != NULL && (host == NULL || strncmp(origin, https, sizeof(https) - 1) != 0 ||
			       strcasecmp(origin + sizeof(https) - 1, host) != 0))
		return false;
	return true;
}

bool login_length(const char *header, size_t most, size_t *ret)
{
	size_t n = header != NULL ? strlen(header) : 0;

	if (n == 0 || n > 9 || strspn(header, "0123456789") != n || (header[0] == '0' && n > 1))
		return false;
	*ret = strtoul(header, NULL, 10);
	return *ret <= most;
}

/* ---- answers --------------------------------------------------------------------------------- */

unsigned login_http_of(int status)
{
	return status == ANSWER_YES	  ? MHD_HTTP_OK
	       : status == ANSWER_NO	  ? MHD_HTTP_UNAUTHORIZED
	       : status == ANSWER_INVALID ? MHD_HTTP_FORBIDDEN
					  : MHD_HTTP_SERVICE_UNAVAILABLE;
}

unsigned login_http_of_done(const json_t *j, int status)
{
	if (!json_is_boolean(json_object_get(j, "done")))
		return login_http_of(status);
	return status == ANSWER_YES	  ? MHD_HTTP_OK
	       : status == ANSWER_INVALID ? MHD_HTTP_UNPROCESSABLE_CONTENT
					  : MHD_HTTP_CONFLICT;
}

json_t *login_answer(int fd)
{
	uint8_t *text = NULL;
	struct err e;
	json_t *j = NULL;
	size_t n;

	if (memfd_read(fd, ANSWER_MOST, &text, &n, &e) == 0) {
		j = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
		explicit_bzero(text, n);
		free(text);
	}
	close(fd);
	if (!json_is_object(j)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static enum MHD_Result reply_plain(struct MHD_Connection *c, int status, int fd, const char *cookie)
{
	json_t *j = login_answer(fd);

	return j != NULL ? reply_json(c, login_http_of(status), j, cookie) : reply_send(c, REPLY_UNAVAILABLE);
}

enum MHD_Result login_reply_in(struct MHD_Connection *c, int status, int fd)
{
	char cookie[sizeof(LOGIN_COOKIE) + 2u * LOGIN_SECRET + 64];
	json_t *j = login_answer(fd);
	const char *secret = json_string_value(json_object_get(j, "session"));
	enum MHD_Result r;

	if (j == NULL || (status == ANSWER_YES && (secret == NULL || strlen(secret) != 2u * LOGIN_SECRET))) {
		json_decref(j);
		return reply_send(c, REPLY_UNAVAILABLE);
	}
	if (status != ANSWER_YES)
		return reply_json(c, login_http_of(status), j, NULL);
	snprintf(cookie, sizeof(cookie), "%s=%s; Secure; HttpOnly; SameSite=Strict; Path=/", LOGIN_COOKIE, secret);
	json_object_del(j, "session");
	r = reply_json(c, MHD_HTTP_OK, j, cookie);
	explicit_bzero(cookie, sizeof(cookie));
	return r;
}

enum MHD_Result login_reply_out(struct MHD_Connection *c, int status, int fd)
{
	/* Whatever the box knows of the session, the browser deletes the cookie. */
	return reply_plain(c, status, fd, LOGIN_COOKIE "=; Secure; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
}

enum MHD_Result login_reply_me(struct MHD_Connection *c, int status, int fd)
{
	return reply_plain(c, status, fd, NULL);
}

enum MHD_Result login_reply_key(struct MHD_Connection *c, int status, int fd)
{
	json_t *j = login_answer(fd);

	/* A person has to read the error, and no session has ended because of it. */
	if (j == NULL)
		return reply_send(c, REPLY_UNAVAILABLE);
	return reply_json(c, status == ANSWER_INVALID ? MHD_HTTP_UNPROCESSABLE_CONTENT : login_http_of(status), j,
			  NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/reply.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "mgmt/state/journal.h"
#include "mgmt/web/login.h"

/* The policy for everything but pages: a browser that shows it loads nothing. */
#define NO_CONTENT "default-src 'none'; frame-ancestors 'none'"
#define STREAM_PART 4096u /* bytes at a time */
#define CHANGE_ANSWER_MOST (8u << 20)
#define RECORDS_ANSWER_MOST (1u << 18) /* bytes, as in control */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static const struct {
	unsigned http;
	const char *body;
} errors[] = {
#define REPLY(id, http, word, en, ja)                                                                                  \
	[REPLY_##id] = { http, "{\"error\":\"" word "\",\"message\":{\"en\":\"" en "\",\"ja\":\"" ja "\"}}\n" },
#include "mgmt/web/reply.def"
};

/*
 * No Strict-Transport-Security: the certificate is the box's own, and when it is replaced, a
 * browser that insists would lock the operator out. Port 80 is not served at all.
 */
static bool common_headers(struct MHD_Response *r, const char *type, const char *policy)
{
	return MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
	       MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") == MHD_YES &&
	       MHD_add_response_header(r, "X-Content-Type-Options", "nosniff") == MHD_YES &&
	       MHD_add_response_header(r, "X-Frame-Options", "DENY") == MHD_YES &&
	       MHD_add_response_header(r, "Referrer-Policy", "no-referrer") == MHD_YES &&
	       MHD_add_response_header(r, "Cross-Origin-Resource-Policy", "same-origin") == MHD_YES &&
	       MHD_add_response_header(r, "Content-Security-Policy", policy) == MHD_YES;
}

static enum MHD_Result queue(struct MHD_Connection *c, unsigned http, struct MHD_Response *r, bool ok)
{
	enum MHD_Result sent;

	if (r == NULL)
		return MHD_NO;
	sent = ok ? MHD_queue_response(c, http, r) : MHD_NO;
	MHD_destroy_response(r);
	return sent;
}

/* A static text is not copied. The library's plain call needs writable text; its vector call does
 * not. */
static struct MHD_Response *static_text(const void *text, size_t n)
{
	struct MHD_IoVec part = { .iov_base = text, .iov_len = n };

	return MHD_create_response_from_iovec(&part, 1, NULL, NULL);
}

enum MHD_Result reply_page(struct MHD_Connection *c, const struct page *page)
{
	struct MHD_Response *r = static_text(page->bytes, *page->size);

	return queue(c, MHD_HTTP_OK, r, r != NULL && common_headers(r, page->type, page->policy));
}

enum MHD_Result reply_send(struct MHD_Connection *c, enum reply_kind kind)
{
	struct MHD_Response *r;
	bool ok;

	r = static_text(errors[kind].body, strlen(errors[kind].body));
	ok = r != NULL && common_headers(r, "application/json", NO_CONTENT);
	if (ok && kind == REPLY_UNAUTHORIZED)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"sekisho\"") ==
		     MHD_YES;
	if (ok && (kind == REPLY_NOT_ALLOWED || kind == REPLY_POST_ONLY))
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, kind == REPLY_POST_ONLY ? "POST" : "GET") ==
		     MHD_YES;
	if (ok && (kind == REPLY_UNAVAILABLE || kind == REPLY_CROWDED))
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "2") == MHD_YES;
	if (ok && (kind == REPLY_TOO_LARGE || kind == REPLY_NOT_ALLOWED || kind == REPLY_POST_ONLY))
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
	return queue(c, errors[kind].http, r, ok);
}

enum MHD_Result reply_stream(struct MHD_Connection *c, MHD_ContentReaderCallback more, void *cls)
{
	struct MHD_Response *r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_PART, more, cls, NULL);

	return queue(c, MHD_HTTP_OK, r, r != NULL && common_headers(r, "text/event-stream", NO_CONTENT));
}

enum MHD_Result reply_text(struct MHD_Connection *c, const char *type, char *text, size_t n)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);

	if (r == NULL) {
		free(text);
		return reply_send(c, REPLY_UNAVAILABLE);
	}
	return queue(c, MHD_HTTP_OK, r, common_headers(r, type, NO_CONTENT));
}

static enum MHD_Result send_text(struct MHD_Connection *c, const struct asked *a, const struct route_form *form, int fd,
				 size_t n)
{
	size_t n_text = 0;
	char *json = n > 0 ? mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	char *text = json != MAP_FAILED ? route_text(form, a, json, n, &n_text) : NULL;

	if (json != MAP_FAILED)
		munmap(json, n);
	close(fd);
	return text != NULL ? reply_text(c, form->type, text, n_text) : reply_send(c, REPLY_UNAVAILABLE);
}

enum MHD_Result reply_answer(struct MHD_Connection *c, int status, int fd, const struct asked *a,
			     const struct route_form *form)
{
	unsigned http = status <= 1 ? MHD_HTTP_OK : status == 2 ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_SERVICE_UNAVAILABLE;
	int seals = fcntl(fd, F_GET_SEALS);
	struct MHD_Response *r;
	struct stat st;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0) {
		close(fd);
		return reply_send(c, REPLY_UNAVAILABLE);
	}
	if (form != NULL && http == MHD_HTTP_OK)
		return send_text(c, a, form, fd, (size_t)st.st_size);
	r = MHD_create_response_from_fd64((uint64_t)st.st_size, fd);
	if (r == NULL)
		close(fd);
	return queue(c, http, r, r != NULL && common_headers(r, "application/json", NO_CONTENT));
}

/* ---- answers of a role to what a person or program sends ------------------------------------- */

json_t *reply_object(int fd, size_t most)
{
	uint8_t *text = NULL;
	struct err e;
	json_t *j = NULL;
	size_t n;

	if (memfd_read(fd, most, &text, &n, &e) == 0) {
		j = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
		explicit_bzero(text, n);
		free(text);
	}
	close(fd);
	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

/* wipes the text, which may be a secret */
static void wipe_text(void *text)
{
	explicit_bzero(text, strlen(text));
	free(text);
}

/* `cookie`: value of Set-Cookie, NULL = none. */
static enum MHD_Result reply_json(struct MHD_Connection *c, unsigned http, const json_t *j, const char *cookie)
{
	char *text = json_dumps(j, JSON_COMPACT);
	struct MHD_Response *r = NULL;

	if (text != NULL)
		r = MHD_create_response_from_buffer_with_free_callback(strlen(text), text, wipe_text);
	if (r == NULL) {
		free(text);
		return reply_send(c, REPLY_UNAVAILABLE);
	}
	return queue(
		c, http, r,
		common_headers(r, "application/json", NO_CONTENT) &&
			(cookie == NULL || MHD_add_response_header(r, MHD_HTTP_HEADER_SET_COOKIE, cookie) == MHD_YES));
}

/* The HTTP status of an answer. If accounts refuses an order before it knows the person, the answer
 * has no "done", and the status is about the login. A refused security key does not get the status
 * of a refused login, because a person has to read the error and no session has ended. */
static unsigned http_of(enum reply_to to, const json_t *j, int status)
{
	const json_t *done = json_object_get(j, "done");
	bool order = to == REPLY_TO_CHANGE || to == REPLY_TO_MANAGE || to == REPLY_TO_RECORDS;

	if (order ? !json_is_boolean(done) : to != REPLY_TO_KEY || status != ANSWER_INVALID)
		return status == ANSWER_YES	  ? MHD_HTTP_OK
		       : status == ANSWER_NO	  ? MHD_HTTP_UNAUTHORIZED
		       : status == ANSWER_INVALID ? MHD_HTTP_FORBIDDEN
						  : MHD_HTTP_SERVICE_UNAVAILABLE;
	if (to == REPLY_TO_CHANGE ? json_is_true(done) : status == ANSWER_YES)
		return MHD_HTTP_OK;
	return status == ANSWER_INVALID ? MHD_HTTP_UNPROCESSABLE_CONTENT : MHD_HTTP_CONFLICT;
}

#define ATTRIBUTES "; Secure; HttpOnly; SameSite=Strict; Path=/"
#define COOKIE_MOST (sizeof(LOGIN_COOKIE ATTRIBUTES) + 2u * LOGIN_SECRET + 16u)

/* The session's secret is sent only in the cookie. At a logout, the browser is told to delete the
 * cookie even if the box does not know the session. False: there is no secret. */
static bool set_cookie(enum reply_to to, json_t *j, int status, char out[COOKIE_MOST])
{
	const char *secret = json_string_value(json_object_get(j, "session"));

	*out = '\0';
	if (to == REPLY_TO_LOGOUT)
		snprintf(out, COOKIE_MOST, "%s=%s; Max-Age=0", LOGIN_COOKIE, ATTRIBUTES);
	if (to != REPLY_TO_LOGIN || status != ANSWER_YES)
		return true;
	if (secret == NULL || strlen(secret) != 2u * LOGIN_SECRET)
		return false;
	snprintf(out, COOKIE_MOST, "%s=%s%s", LOGIN_COOKIE, secret, ATTRIBUTES);
	json_object_del(j, "session");
	return true;
}

/* The journal's own text is given in the reader's language. */
static void in_words(json_t *j)
{
	const char *said = json_string_value(json_object_get(j, "error"));
	char *text[LANGUAGES];

	if (said == NULL)
		return;
	for (unsigned l = 0; l < LANGUAGES; l++)
		text[l] = lost_text((enum lang)l, said);
	json_object_set_new(j, "error",
			    json_pack("{s:o, s:o}", "en", json_text(text[LANG_EN]), "ja", json_text(text[LANG_JA])));
	for (unsigned l = 0; l < LANGUAGES; l++)
		free(text[l]);
}

/* Overwrites the texts in place; nobody else may hold a reference. */
static void wipe_texts(json_t *j)
{
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_string(j))
		explicit_bzero((char *)(uintptr_t)json_string_value(j), json_string_length(j));
	json_object_foreach(j, key, v) {
		wipe_texts(v);
	}
	json_array_foreach(j, i, v) {
		wipe_texts(v);
	}
}

enum MHD_Result reply_said(struct MHD_Connection *c, enum reply_to to, int status, int fd)
{
	size_t most = to == REPLY_TO_CHANGE    ? CHANGE_ANSWER_MOST
		      : to == REPLY_TO_RECORDS ? RECORDS_ANSWER_MOST
					       : REPLY_ACCOUNTS_MOST;
	json_t *j = reply_object(fd, most);
	char cookie[COOKIE_MOST];
	enum MHD_Result sent;

	if (j == NULL || !set_cookie(to, j, status, cookie)) {
		json_decref(j);
		return reply_send(c, REPLY_UNAVAILABLE);
	}
	if (to == REPLY_TO_RECORDS)
		in_words(j);
	sent = reply_json(c, http_of(to, j, status), j, *cookie != '\0' ? cookie : NULL);
	wipe_texts(j);
	json_decref(j);
	explicit_bzero(cookie, sizeof(cookie));
	return sent;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strangers type, and the headers that identify a person: the same bytes as the body of a
 * login, as a cookie, as a token and as a length; and line by line as what a browser says about the
 * origin of a request. What is accepted must occur in the input in the same form.
 *
 * LINK: mgmt/web/login.c appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mgmt/web/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIGITS ((size_t)2 * LOGIN_SECRET)
#define SAID 4

static void digits_of(const uint8_t secret[LOGIN_SECRET], char out[DIGITS + 1])
{
	for (size_t i = 0; i < LOGIN_SECRET; i++)
		snprintf(out + 2 * i, 3, "%02x", secret[i]);
}

/* A login is written again from its three texts, and must be read as the same login. */
static void body(const uint8_t *text, size_t n)
{
	static char proof[WEBAUTHN_TEXT + 1], other[WEBAUTHN_TEXT + 1];
	char phrase[LOGIN_PHRASE + 1] = "", name[LOGIN_NAME + 1] = "";
	struct msg_login m, again;
	char *said;
	const char *which;
	json_t *j;

	if (!login_read(text, n, &m, proof))
		return;
	assert(m.proof == proof && m.kind < PROOFS && strlen(proof) <= WEBAUTHN_TEXT && n <= 1u << 20);
	assert(m.kind == PROOF_KEY || strlen(proof) <= LOGIN_CODE);
	memcpy(name, m.name, LOGIN_NAME);
	memcpy(phrase, m.phrase, LOGIN_PHRASE);
	which = m.kind == PROOF_CERTIFICATE ? "certificate" : m.kind == PROOF_KEY ? "key" : "code";
	j = json_pack("{s:s, s:s, s:o}", "name", name, "password", phrase, which,
		      m.kind == PROOF_CERTIFICATE ? json_true() : json_string(proof));
	said = json_dumps(j, JSON_ENSURE_ASCII);
	assert(said != NULL && login_read((const uint8_t *)said, strlen(said), &again, other));
	assert(memcmp(m.name, again.name, LOGIN_NAME) == 0 && memcmp(m.phrase, again.phrase, LOGIN_PHRASE) == 0 &&
	       m.kind == again.kind && strcmp(proof, other) == 0);
	free(said);
	json_decref(j);
}

/* The texts of an order about a key are within their limits. An order that removes a key has no
 * proof. */
static void key_body(const uint8_t *text, size_t n)
{
	static char proof[ORDER_TEXT];
	struct msg_body q;

	if (login_read_key(text, n, &q, proof))
		assert(q.key.proof == proof && q.key.order < KEY_ORDERS && (q.key.order == KEY_ADD || proof[0] == 0));
}

static bool stands_alone(const char *text, const char *cookie)
{
	for (const char *at = strstr(text, cookie); at != NULL; at = strstr(at + 1, cookie))
		if ((at == text || at[-1] == ';' || at[-1] == ' ') && strchr(";", at[strlen(cookie)]) != NULL)
			return true;
	return false;
}

static void headers(const char *text)
{
	char digits[DIGITS + 1], cookie[sizeof(LOGIN_COOKIE) + 1 + DIGITS], length[16];
	uint8_t secret[LOGIN_SECRET];
	size_t n;

	if (login_cookie(text, secret)) {
		digits_of(secret, digits);
		snprintf(cookie, sizeof(cookie), "%s=%s", LOGIN_COOKIE, digits);
		assert(stands_alone(text, cookie));
	}
	if (login_bearer(text, secret)) {
		digits_of(secret, digits);
		assert(strncasecmp(text, "Bearer ", 7) == 0 && strcmp(text + 7, digits) == 0);
	}
	if (login_length(text, LOGIN_BODY, &n)) {
		snprintf(length, sizeof(length), "%zu", n);
		assert(n <= LOGIN_BODY && strcmp(text, length) == 0);
	}
}

/* Four lines: type, origin, Sec-Fetch-Site, host. "-" is a header that is missing. */
static void origin(char *text)
{
	const char *said[SAID] = { NULL };

	for (size_t i = 0; i < SAID && text != NULL; i++) {
		char *line = strsep(&text, "\n");

		said[i] = strcmp(line, "-") != 0 ? line : NULL;
	}
	if (!login_same_origin(said[0], said[1], said[2], said[3]))
		return;
	/* A form on another page cannot send this type. */
	assert(said[0] != NULL && strncasecmp(said[0], "application/json", 16) == 0);
	assert(said[1] == NULL ||
	       (said[3] != NULL && strncmp(said[1], "https://", 8) == 0 && strcasecmp(said[1] + 8, said[3]) == 0));
	assert(said[2] == NULL || strcmp(said[2], "same-origin") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);
	char *text = malloc(size + 1);

	assert(exact != NULL && text != NULL);
	memcpy(exact, data, size);
	memcpy(text, data, size);
	text[size] = '\0';
	body(exact, size);
	key_body(exact, size);
	headers(text);
	origin(text);
	free(exact);
	free(text);
	return 0;
}

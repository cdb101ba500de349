/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "appliance/base/sha256.h"

const char *login_text_of(const json_t *j, const char *key, size_t most)
{
	const json_t *v = json_object_get(j, key);

	return json_is_string(v) && json_string_length(v) <= most &&
			       strlen(json_string_value(v)) == json_string_length(v)
		       ? json_string_value(v)
		       : NULL;
}

bool login_put(const json_t *j, const char *key, void *out, size_t most)
{
	const char *text = login_text_of(j, key, most);

	if (text != NULL)
		memcpy(out, text, strlen(text));
	return text != NULL;
}

bool login_read(const uint8_t *body, size_t n, struct msg_login *ret, char proof[WEBAUTHN_TEXT + 1])
{
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL);
	const char *code = login_text_of(j, "code", LOGIN_CODE), *key = login_text_of(j, "key", WEBAUTHN_TEXT);
	bool certificate = json_is_true(json_object_get(j, "certificate"));
	bool ok = json_is_object(j) && json_object_size(j) == 3 && (code != NULL || key != NULL || certificate);

	memset(ret, 0, sizeof(*ret));
	ok = ok && login_put(j, "name", ret->name, LOGIN_NAME) && login_put(j, "password", ret->phrase, LOGIN_PHRASE);
	ret->kind = certificate ? PROOF_CERTIFICATE : code != NULL ? PROOF_CODE : PROOF_KEY;
	snprintf(proof, WEBAUTHN_TEXT + 1, "%s", !ok || certificate ? "" : code != NULL ? code : key);
	ret->proof = proof;
	json_decref(j);
	return ok;
}

bool login_read_key(const uint8_t *body, size_t n, struct msg_body *question, char proof[ORDER_TEXT])
{
	struct msg_key *ret = &question->key;
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL);
	const char *order = login_text_of(j, "order", 8), *key = login_text_of(j, "key", WEBAUTHN_TEXT);
	bool add = order != NULL && strcmp(order, "add") == 0;
	bool ok = json_is_object(j) && order != NULL && json_object_size(j) == (add ? 4u : 3u) &&
		  (add ? key != NULL : strcmp(order, "remove") == 0);

	memset(ret, 0, sizeof(*ret));
	ok = ok && login_put(j, "label", ret->label, LOGIN_LABEL) &&
	     login_put(j, "password", ret->phrase, LOGIN_PHRASE);
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
			if (n != sizeof(name) - 1 + 2u * LOGIN_SECRET ||
			    !hex_digits(at + sizeof(name) - 1, ret, LOGIN_SECRET))
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
	       hex_digits(header + sizeof(scheme) - 1, ret, LOGIN_SECRET);
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

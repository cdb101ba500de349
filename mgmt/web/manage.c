/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/manage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/json.h"
#include "appliance/base/utf8.h"
#include "appliance/wire/duty.h"
#include "mgmt/web/login.h"
#include "mgmt/web/reply.h"

#define NAME_MOST 31u
#define FULL_MOST 96u
#define REASON_MOST 200u
#define SEEN_MOST 16u

/* ---- requests -------------------------------------------------------------------------------- */

static bool put(const json_t *j, const char *key, uint8_t out[LOGIN_PHRASE])
{
	const char *text = login_text_of(j, key, LOGIN_PHRASE);

	if (text != NULL)
		memcpy(out, text, json_string_length(json_object_get(j, key)));
	return text != NULL;
}

/* Copies a one-line text for `accounts`. */
static bool say(json_t *to, const json_t *from, const char *key, const char *as, size_t least, size_t most)
{
	const char *text = login_text_of(from, key, most);

	if (text == NULL || strlen(text) < least || !text_is_plain(text, most))
		return false;
	return json_object_set_new(to, as, json_string(text)) == 0;
}

/* ["viewer","ot_author"], each once. */
static bool say_roles(json_t *to, const json_t *from)
{
	const json_t *list = json_object_get(from, "roles"), *v;
	char text[256] = "";
	uint32_t duties = 0;
	size_t i, at = 0;

	json_array_foreach(list, i, v)
	{
		enum duty d = json_is_string(v) ? duty_by_word(json_string_value(v)) : DUTY_COUNT;

		if (d == DUTY_COUNT || (duties >> d & 1u) != 0 || at >= sizeof(text))
			return false;
		duties |= UINT32_C(1) << d;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at > 0 ? "," : "", duty_word(d));
	}
	return json_is_array(list) && duties != 0 && at < sizeof(text) &&
	       json_object_set_new(to, "roles", json_string(text)) == 0;
}

static bool take(const json_t *j, enum manage_order o, json_t *said)
{
	bool who = o == MANAGE_ADD || o == MANAGE_CHANGE, seen = o != MANAGE_ADD;
	bool label = o == MANAGE_KEY_REMOVE || o == MANAGE_CERTIFICATE_REMOVE;

	return json_object_size(j) == 3u + (who ? 3u : 0u) + (seen ? 1u : 0u) + (label ? 1u : 0u) &&
	       say(said, j, "name", "name", 1, NAME_MOST) && (!seen || say(said, j, "seen", "seen", 0, SEEN_MOST)) &&
	       (!label || say(said, j, "label", o == MANAGE_KEY_REMOVE ? "key" : "label", 1, LOGIN_LABEL)) &&
	       (!who || (say(said, j, "full_name", "full_name", 1, FULL_MOST) &&
			 say(said, j, "reason", "reason", 1, REASON_MOST) && say_roles(said, j)));
}

bool manage_read(const uint8_t *body, size_t n, struct msg_manage *ret, char text[MANAGE_TEXT + 1])
{
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL), *said = json_object();
	const char *word = login_text_of(j, "order", MANAGE_TEXT);
	enum manage_order order = word != NULL ? manage_by_word(word) : MANAGE_ORDERS;
	size_t size;
	bool ok;

	memset(ret, 0, sizeof(*ret));
	ret->order = (uint8_t)order;
	ret->text = text;
	ok = json_is_object(j) && order != MANAGE_ORDERS && take(j, order, said) && put(j, "password", ret->phrase);
	size = ok ? json_dumpb(said, text, MANAGE_TEXT, JSON_COMPACT) : 0;
	ok = ok && size > 0 && size <= MANAGE_TEXT;
	text[ok ? size : 0] = 0;
	json_decref(said);
	json_decref(j);
	return ok;
}

bool manage_read_passphrase(const uint8_t *body, size_t n, struct msg_passphrase *ret)
{
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL);
	bool ok;

	memset(ret, 0, sizeof(*ret));
	ok = json_is_object(j) && json_object_size(j) == 2 && put(j, "password", ret->phrase) &&
	     put(j, "new", ret->fresh);
	json_decref(j);
	return ok;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Overwrites the texts in place; nobody else may hold a reference. */
static void wipe(json_t *j)
{
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_string(j))
		explicit_bzero((char *)(uintptr_t)json_string_value(j), json_string_length(j));
	json_object_foreach(j, key, v)
	{
		wipe(v);
	}
	json_array_foreach(j, i, v)
	{
		wipe(v);
	}
}

enum MHD_Result manage_reply(struct MHD_Connection *c, int status, int fd)
{
	json_t *j = login_answer(fd);
	enum MHD_Result sent;

	if (j == NULL)
		return reply_send(c, REPLY_UNAVAILABLE);
	sent = reply_json(c, login_http_of_done(j, status), json_incref(j), NULL);
	wipe(j);
	json_decref(j);
	return sent;
}

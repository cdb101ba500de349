/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/json.h"
#include "appliance/base/memfd.h"
#include "appliance/base/utf8.h"
#include "mgmt/state/lost.h"
#include "mgmt/web/login.h"
#include "mgmt/web/reply.h"

#define ANSWER_MOST (1u << 18) /* bytes, as in control */
#define STAMP sizeof("2026-11-20T08:10:11Z")

/* ---- requests -------------------------------------------------------------------------------- */

static const char *text_at(const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);

	return json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v) ? json_string_value(v) : NULL;
}

/* Takes a time, but only in the form of STAMP's example, so that each time has one text. */
static bool take_moment(const json_t *j, const char *key, uint64_t *ret)
{
	const char *text = text_at(j, key), *rest;
	struct tm tm = { 0 };
	char again[STAMP];
	time_t t;

	if (text == NULL || strlen(text) != STAMP - 1)
		return false;
	rest = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	t = rest != NULL && *rest == '\0' ? timegm(&tm) : -1;
	if (t < 0 || gmtime_r(&t, &tm) == NULL || strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0 ||
	    strcmp(text, again) != 0)
		return false;
	*ret = (uint64_t)t;
	return true;
}

/* Copies a line of at most `most` bytes. */
static bool take_line(const json_t *j, const char *key, size_t least, size_t most, char out[HOLD_REASON + 1])
{
	const char *text = text_at(j, key);
	size_t n = text != NULL ? strlen(text) : 0;

	if (text == NULL || n < least || !text_is_plain(text, most))
		return false;
	memcpy(out, text, n + 1);
	return true;
}

static bool take_review(const json_t *j, struct msg_records *ret, char text[HOLD_REASON + 1])
{
	const char *result = text_at(j, "result");

	if (json_object_size(j) != 5 || result == NULL ||
	    (strcmp(result, "none") != 0 && strcmp(result, "findings") != 0))
		return false;
	ret->findings = *result == 'f';
	return take_moment(j, "from", &ret->since) && take_moment(j, "until", &ret->until) &&
	       take_line(j, "note", ret->findings, REVIEW_NOTE, text);
}

static bool take_hold(const json_t *j, struct msg_records *ret, char text[HOLD_REASON + 1])
{
	bool open = json_is_null(json_object_get(j, "until"));

	ret->until = HOLD_OPEN;
	return json_object_size(j) == 4 && take_moment(j, "from", &ret->since) &&
	       (open || take_moment(j, "until", &ret->until)) && take_line(j, "reason", 1, HOLD_REASON, text);
}

static bool take_number(const json_t *j, const char *key, uint32_t least, uint32_t most, uint32_t *ret)
{
	const json_t *number = json_object_get(j, key);

	if (!json_is_integer(number) || json_integer_value(number) < least || json_integer_value(number) > most)
		return false;
	*ret = (uint32_t)json_integer_value(number);
	return true;
}

/* A hold that is lifted, or an alarm that is acknowledged. */
static bool take_one(const json_t *j, struct msg_records *ret, char text[HOLD_REASON + 1])
{
	return json_object_size(j) == 3 && take_number(j, "number", 1, UINT32_MAX, &ret->number) &&
	       take_line(j, "reason", 1, HOLD_REASON, text);
}

static bool take_silence(const json_t *j, struct msg_records *ret, char text[HOLD_REASON + 1])
{
	uint32_t minutes;

	if (json_object_size(j) != 4 || !take_number(j, "number", 1, UINT32_MAX, &ret->number) ||
	    !take_number(j, "minutes", 1, ATTACK_SILENT_MOST / 60u, &minutes))
		return false;
	ret->silent_s = minutes * 60u;
	return take_line(j, "reason", 1, HOLD_REASON, text);
}

static bool take_device(const json_t *j, struct msg_records *ret, char text[HOLD_REASON + 1])
{
	const json_t *all = json_object_get(j, "all");

	if (json_object_size(j) != 4 || !json_is_boolean(all) || !take_number(j, "number", 0, UINT32_MAX, &ret->number))
		return false;
	ret->all = json_is_true(all);
	return take_line(j, "reason", 1, HOLD_REASON, text);
}

bool records_read(const uint8_t *body, size_t n, struct msg_records *ret, char text[HOLD_REASON + 1])
{
	static bool (*const take[RECORDS_ORDERS])(const json_t *, struct msg_records *, char *) = {
		[RECORDS_REVIEW] = take_review,	  [RECORDS_HOLD] = take_hold,	  [RECORDS_LIFT] = take_one,
		[RECORDS_ACCEPT] = take_device,	  [RECORDS_FORGET] = take_device, [RECORDS_ACKNOWLEDGE] = take_one,
		[RECORDS_SILENCE] = take_silence,
	};
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL);
	const char *word = text_at(j, "order");
	enum records_order order = word != NULL ? records_by_word(word) : RECORDS_ORDERS;
	bool ok;

	memset(ret, 0, sizeof(*ret));
	*text = '\0';
	ret->text = text;
	ret->order = (uint8_t)order;
	ok = json_is_object(j) && order != RECORDS_ORDERS && take[order](j, ret, text);
	json_decref(j);
	return ok;
}

/* ---- answers --------------------------------------------------------------------------------- */

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

enum MHD_Result records_reply(struct MHD_Connection *c, int status, int fd)
{
	json_t *j = NULL;
	uint8_t *text = NULL;
	struct err e;
	size_t n;

	if (memfd_read(fd, ANSWER_MOST, &text, &n, &e) == 0)
		j = json_loadb((const char *)text, n, 0, NULL);
	close(fd);
	free(text);
	if (!json_is_object(j)) {
		json_decref(j);
		return reply_send(c, REPLY_UNAVAILABLE);
	}
	in_words(j);
	return reply_json(c, login_http_of_done(j, status), j, NULL);
}

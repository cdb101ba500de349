/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/bundle.h"
#include "appliance/base/json_each.h"
#include "appliance/base/memfd.h"
#include "appliance/base/utf8.h"
#include "appliance/wire/duty.h"
#include "mgmt/web/login.h"

#define WORD_MOST 64u	 /* bytes of an order's word */
#define NAME_MOST 255u	 /* of a text or an interface */
#define NAMES_MOST 4096u /* bytes of all interface names together */
#define ACCOUNT_MOST 31u
#define FULL_MOST 96u
#define REASON_MOST 200u
#define SEEN_MOST 16u
#define STAMP sizeof("2026-11-20T08:10:11Z")

_Static_assert(ORDER_TEXT > MANAGE_TEXT && ORDER_TEXT > HOLD_REASON, "a text that has no room");

/* ---- members --------------------------------------------------------------------------------- */

/* The text at `key`; NULL: there is none, or it is no single line. */
static const char *line_of(const json_t *j, const char *key, size_t least, size_t most)
{
	const char *text = login_text_of(j, key, most);

	return text != NULL && (least == 0 || !text_is_blank(text, most)) && text_is_plain(text, most) ? text : NULL;
}

/* Copies the line of text at `key`. `out` has room for `most` bytes and a NUL. */
static bool take_line(const json_t *j, const char *key, size_t least, size_t most, void *out)
{
	const char *text = line_of(j, key, least, most);

	if (text != NULL)
		memcpy(out, text, strlen(text) + 1);
	return text != NULL;
}

static bool is_missing(const json_t *j, const char *key)
{
	return json_object_get(j, key) == NULL;
}

/* A missing number is 0. */
static bool take_number(const json_t *j, const char *key, uint64_t least, uint64_t most, uint64_t *ret)
{
	const json_t *v = json_object_get(j, key);

	*ret = 0;
	if (v != NULL && (!json_is_integer(v) || json_integer_value(v) < 0))
		return false;
	*ret = (uint64_t)json_integer_value(v);
	return *ret >= least && *ret <= most;
}

/* ---- orders about the policy ----------------------------------------------------------------- */

static const char *const keys[] = { "order",	 "revision", "base",	  "to",	   "comment",
				    "confirm_s", "dry_run",  "take_over", "texts", "take",
				    "object",	 "person",   "ticket",	  "for_s", "request" };

static bool only_known(const json_t *j)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)j, key, v) {
		size_t i = 0;

		while (i < sizeof(keys) / sizeof(keys[0]) && strcmp(keys[i], key) != 0)
			i++;
		if (i == sizeof(keys) / sizeof(keys[0]))
			return false;
	}
	return true;
}

static bool take_flag(const json_t *j, const char *key, uint8_t flag, uint8_t *flags)
{
	const json_t *v = json_object_get(j, key);

	*flags |= json_is_true(v) ? flag : 0;
	return v == NULL || json_is_boolean(v);
}

/* Takes the object to be isolated, or the door. No other order may name an object. */
static bool take_object(const json_t *j, enum change_order order, struct msg_change *m)
{
	if (!change_names_object(order))
		return is_missing(j, "object");
	return take_line(j, "object", 1, ISOLATE_OBJECT - 1, m->object);
}

/* Takes who uses the door, the ticket, for how long, and the request that is agreed to. Only an
 * order to open a door may have these. */
static bool take_door(const json_t *j, enum change_order order, struct msg_change *m)
{
	uint64_t for_s;

	if (order != CHANGE_OPEN)
		return is_missing(j, "person") && is_missing(j, "ticket") && is_missing(j, "for_s") &&
		       is_missing(j, "request");
	if ((!is_missing(j, "person") && !take_line(j, "person", 0, DOOR_TEXT - 1, m->person)) ||
	    (!is_missing(j, "request") && !take_line(j, "request", 1, DOOR_REQUEST - 1, m->request)) ||
	    (!is_missing(j, "ticket") && !take_line(j, "ticket", 0, DOOR_TEXT - 1, m->ticket)) ||
	    !take_number(j, "for_s", 0, DOOR_MOST, &for_s))
		return false;
	m->confirm_s = (uint32_t)for_s;
	return true;
}

static enum change_read sealed(struct change_request *ret, const void *p, size_t n)
{
	ret->fd = memfd_sealed("sekisho-change", p, n);
	return ret->fd >= 0 ? CHANGE_READ : CHANGE_NO_MEMORY;
}

static bool read_texts(const json_t *list, struct source_text *texts)
{
	json_each_at(i, v, list) {
		const char *name = line_of(v, "name", 1, NAME_MOST),
			   *text = login_text_of(v, "text", CHANGE_TEXTS_MOST);

		if (json_object_size(v) != 2 || name == NULL || text == NULL)
			return false;
		texts[i] = (struct source_text){ .name = name, .text = text, .size = strlen(text) };
	}
	return true;
}

static enum change_read take_texts(const json_t *list, struct change_request *ret)
{
	size_t n = json_array_size(list), need;
	enum change_read r = CHANGE_NO_ORDER;
	struct source_text *texts;
	uint8_t *p = NULL;

	if (n == 0 || n > BUNDLE_TEXTS_MAX)
		return CHANGE_NO_ORDER;
	texts = calloc(n, sizeof(*texts));
	if (texts == NULL)
		return CHANGE_NO_MEMORY;
	if (read_texts(list, texts)) {
		need = bundle_encode(texts, n, NULL, 0);
		p = malloc(need);
		r = p == NULL				       ? CHANGE_NO_MEMORY
		    : bundle_encode(texts, n, p, need) == need ? sealed(ret, p, need)
							       : CHANGE_NO_ORDER;
	}
	free(p);
	free(texts);
	return r;
}

/* Takes a list of names in the form that the command line sends: each name followed by a NUL. */
static enum change_read take_names(const json_t *list, struct change_request *ret)
{
	char names[NAMES_MOST];
	size_t n = 0;

	json_each(v, list) {
		const char *name = json_string_value(v);
		size_t size = name != NULL ? strlen(name) : 0;

		if (size == 0 || size > NAME_MOST || size != json_string_length(v) || size >= sizeof(names) - n)
			return CHANGE_NO_ORDER;
		memcpy(names + n, name, size + 1);
		n += size + 1;
	}
	return n == 0 ? CHANGE_READ : sealed(ret, names, n);
}

static enum change_read take_order(const json_t *j, struct change_request *ret)
{
	const json_t *texts = json_object_get(j, "texts"), *take = json_object_get(j, "take");
	const char *word = login_text_of(j, "order", WORD_MOST);
	struct msg_change *m = &ret->order;
	enum change_order order = word != NULL ? change_by_word(word) : CHANGE_ORDERS;
	bool wants_texts = order == CHANGE_SAVE || order == CHANGE_CHECK;
	bool may_take = order == CHANGE_APPLY || order == CHANGE_ROLLBACK;
	uint64_t confirm_s;

	if (!json_is_object(j) || order == CHANGE_ORDERS || !only_known(j) ||
	    !take_number(j, "revision", 0, INT64_MAX, &m->revision) ||
	    !take_number(j, "base", 0, INT64_MAX, &m->base) || !take_number(j, "to", 0, INT64_MAX, &m->to) ||
	    !take_number(j, "confirm_s", 0, CONFIRM_MOST, &confirm_s) ||
	    !take_flag(j, "dry_run", APPLY_DRY_RUN, &m->flags) ||
	    !take_flag(j, "take_over", APPLY_TAKE_OVER, &m->flags) || !take_object(j, order, m) ||
	    (!is_missing(j, "comment") && !take_line(j, "comment", 0, COMMENT_MOST, ret->comment)) ||
	    (texts != NULL) != wants_texts || (take != NULL && (!may_take || !json_is_array(take))))
		return CHANGE_NO_ORDER;
	m->comment = ret->comment;
	m->order = (uint8_t)order;
	m->confirm_s = (uint32_t)confirm_s;
	if (!take_door(j, order, m))
		return CHANGE_NO_ORDER;
	if (texts != NULL)
		return take_texts(texts, ret);
	return take != NULL ? take_names(take, ret) : CHANGE_READ;
}

enum change_read change_read(const uint8_t *body, size_t n, struct change_request *ret)
{
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL);
	enum change_read r;

	memset(ret, 0, sizeof(*ret));
	ret->fd = -1;
	r = take_order(j, ret);
	json_decref(j);
	return r;
}

/* ---- orders about accounts ------------------------------------------------------------------- */

/* Copies a one-line text for `accounts`. */
static bool copy_line(json_t *to, const json_t *from, const char *key, const char *as, size_t least, size_t most)
{
	const char *text = line_of(from, key, least, most);

	return text != NULL && json_object_set_new(to, as, json_string(text)) == 0;
}

/* ["viewer","ot_author"], each once. */
static bool say_roles(json_t *to, const json_t *from)
{
	const json_t *list = json_object_get(from, "roles");
	char text[256] = "";
	uint32_t duties = 0;
	size_t at = 0;

	json_each(v, list) {
		enum duty d = json_is_string(v) ? duty_by_word(json_string_value(v)) : DUTY_COUNT;

		if (d == DUTY_COUNT || (duties >> d & 1u) != 0 || at >= sizeof(text))
			return false;
		duties |= UINT32_C(1) << d;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at > 0 ? "," : "", duty_word(d));
	}
	return json_is_array(list) && duties != 0 && at < sizeof(text) &&
	       json_object_set_new(to, "roles", json_string(text)) == 0;
}

static bool read_order(const json_t *j, enum manage_order o, json_t *said)
{
	bool who = o == MANAGE_ADD || o == MANAGE_CHANGE, seen = o != MANAGE_ADD;
	bool why = o == MANAGE_UNLOCK, label = o == MANAGE_KEY_REMOVE || o == MANAGE_CERTIFICATE_REMOVE;

	return json_object_size(j) == 3u + (who ? 3u : 0u) + (seen ? 1u : 0u) + (label ? 1u : 0u) + (why ? 1u : 0u) &&
	       copy_line(said, j, "name", "name", 1, ACCOUNT_MOST) &&
	       (!seen || copy_line(said, j, "seen", "seen", 0, SEEN_MOST)) &&
	       (!label || copy_line(said, j, "label", o == MANAGE_KEY_REMOVE ? "key" : "label", 1, LOGIN_LABEL)) &&
	       (!why || copy_line(said, j, "reason", "reason", 1, REASON_MOST)) &&
	       (!who || (copy_line(said, j, "full_name", "full_name", 1, FULL_MOST) &&
			 copy_line(said, j, "reason", "reason", 1, REASON_MOST) && say_roles(said, j)));
}

bool manage_read(const uint8_t *body, size_t n, struct msg_body *question, char text[ORDER_TEXT])
{
	struct msg_manage *ret = &question->manage;
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL), *said = json_object();
	const char *word = login_text_of(j, "order", WORD_MOST);
	enum manage_order order = word != NULL ? manage_by_word(word) : MANAGE_ORDERS;
	size_t size;
	bool ok;

	memset(ret, 0, sizeof(*ret));
	ret->order = (uint8_t)order;
	ret->text = text;
	ok = json_is_object(j) && order != MANAGE_ORDERS && read_order(j, order, said) &&
	     login_put(j, "password", ret->phrase, LOGIN_PHRASE);
	size = ok ? json_dumpb(said, text, MANAGE_TEXT, JSON_COMPACT) : 0;
	ok = ok && size > 0 && size <= MANAGE_TEXT;
	text[ok ? size : 0] = 0;
	json_decref(said);
	json_decref(j);
	return ok;
}

bool passphrase_read(const uint8_t *body, size_t n, struct msg_body *question, char text[ORDER_TEXT])
{
	struct msg_passphrase *ret = &question->passphrase;
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL);
	bool ok;

	memset(ret, 0, sizeof(*ret));
	ok = json_is_object(j) && json_object_size(j) == 2 && login_put(j, "password", ret->phrase, LOGIN_PHRASE) &&
	     login_put(j, "new", ret->fresh, LOGIN_PHRASE);
	json_decref(j);
	return ok;
}

/* ---- orders about records -------------------------------------------------------------------- */

/* Takes a time, but only in the form of STAMP's example, so that each time has one text. */
static bool take_moment(const json_t *j, const char *key, uint64_t *ret)
{
	const char *text = login_text_of(j, key, STAMP - 1), *rest;
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

static bool take_review(const json_t *j, struct msg_records *ret, char text[HOLD_REASON + 1])
{
	const char *result = login_text_of(j, "result", WORD_MOST);

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

/* Takes the number of a hold, an alarm or a device, which has to be there. */
static bool take_which(const json_t *j, uint32_t least, struct msg_records *ret)
{
	uint64_t number;

	if (is_missing(j, "number") || !take_number(j, "number", least, UINT32_MAX, &number))
		return false;
	ret->number = (uint32_t)number;
	return true;
}

/* Takes an order to lift a hold or to acknowledge an alarm. */
static bool take_one(const json_t *j, struct msg_records *ret, char text[HOLD_REASON + 1])
{
	return json_object_size(j) == 3 && take_which(j, 1, ret) && take_line(j, "reason", 1, HOLD_REASON, text);
}

static bool take_silence(const json_t *j, struct msg_records *ret, char text[HOLD_REASON + 1])
{
	uint64_t minutes;

	if (json_object_size(j) != 4 || !take_which(j, 1, ret) ||
	    !take_number(j, "minutes", 1, ATTACK_SILENT_MOST / 60u, &minutes))
		return false;
	ret->silent_s = (uint32_t)minutes * 60u;
	return take_line(j, "reason", 1, HOLD_REASON, text);
}

static bool take_device(const json_t *j, struct msg_records *ret, char text[HOLD_REASON + 1])
{
	const json_t *all = json_object_get(j, "all");

	if (json_object_size(j) != 4 || !json_is_boolean(all) || !take_which(j, 0, ret))
		return false;
	ret->all = json_is_true(all);
	return take_line(j, "reason", 1, HOLD_REASON, text);
}

bool records_read(const uint8_t *body, size_t n, struct msg_body *question, char text[ORDER_TEXT])
{
	static bool (*const take[RECORDS_ORDERS])(const json_t *, struct msg_records *, char *) = {
		[RECORDS_REVIEW] = take_review,	  [RECORDS_HOLD] = take_hold,	  [RECORDS_LIFT] = take_one,
		[RECORDS_ACCEPT] = take_device,	  [RECORDS_FORGET] = take_device, [RECORDS_ACKNOWLEDGE] = take_one,
		[RECORDS_SILENCE] = take_silence,
	};
	json_t *j = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, NULL);
	const char *word = login_text_of(j, "order", WORD_MOST);
	enum records_order order = word != NULL ? records_by_word(word) : RECORDS_ORDERS;
	struct msg_records *ret = &question->records;
	bool ok;

	memset(ret, 0, sizeof(*ret));
	*text = '\0';
	ret->text = text;
	ret->order = (uint8_t)order;
	ok = json_is_object(j) && order != RECORDS_ORDERS && take[order](j, ret, text);
	json_decref(j);
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/change.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/bundle.h"
#include "appliance/base/json.h"
#include "appliance/base/memfd.h"
#include "appliance/base/utf8.h"
#include "mgmt/web/login.h"
#include "mgmt/web/reply.h"

#define ANSWER_MOST (8u << 20)
#define NAME_MOST 255u
#define NAMES_MOST 4096u /* bytes of all interface names together */

/* ---- requests -------------------------------------------------------------------------------- */

static const char *const keys[] = { "order",	 "revision", "base", "to",     "comment", "confirm_s", "dry_run",
				    "take_over", "texts",    "take", "object", "person",  "ticket",    "for_s" };

static bool only_known(const json_t *j)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)j, key, v)
	{
		size_t i = 0;

		while (i < sizeof(keys) / sizeof(keys[0]) && strcmp(keys[i], key) != 0)
			i++;
		if (i == sizeof(keys) / sizeof(keys[0]))
			return false;
	}
	return true;
}

/* A missing number is 0. */
static bool take_number(const json_t *j, const char *key, uint64_t most, uint64_t *ret)
{
	const json_t *v = json_object_get(j, key);

	*ret = 0;
	if (v == NULL)
		return true;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > most)
		return false;
	*ret = (uint64_t)json_integer_value(v);
	return true;
}

static bool take_flag(const json_t *j, const char *key, uint8_t flag, uint8_t *flags)
{
	const json_t *v = json_object_get(j, key);

	*flags |= json_is_true(v) ? flag : 0;
	return v == NULL || json_is_boolean(v);
}

static bool is_text(const json_t *v, size_t most)
{
	return json_is_string(v) && json_string_length(v) <= most &&
	       strlen(json_string_value(v)) == json_string_length(v);
}

static bool take_comment(const json_t *j, struct change_request *ret)
{
	const json_t *v = json_object_get(j, "comment");

	ret->order.comment = ret->comment;
	if (v == NULL)
		return true;
	if (!is_text(v, COMMENT_MOST) || !text_is_plain(json_string_value(v), COMMENT_MOST))
		return false;
	memcpy(ret->comment, json_string_value(v), json_string_length(v) + 1);
	return true;
}

/* What is isolated, or which door; for these orders only. */
static bool take_object(const json_t *j, enum change_order order, struct change_request *ret)
{
	const json_t *v = json_object_get(j, "object");
	bool wants = change_names_object(order);

	if ((v != NULL) != wants)
		return false;
	if (!wants)
		return true;
	if (!is_text(v, ISOLATE_OBJECT - 1) || json_string_length(v) == 0 ||
	    !text_is_plain(json_string_value(v), ISOLATE_OBJECT - 1))
		return false;
	memcpy(ret->order.object, json_string_value(v), json_string_length(v));
	return true;
}

static bool take_short(const json_t *j, const char *key, uint8_t to[DOOR_TEXT])
{
	const json_t *v = json_object_get(j, key);

	if (v == NULL)
		return true;
	if (!is_text(v, DOOR_TEXT - 1) || !text_is_plain(json_string_value(v), DOOR_TEXT - 1))
		return false;
	memcpy(to, json_string_value(v), json_string_length(v));
	return true;
}

/* Who uses the door, the ticket, and for how long; for that order only. */
static bool take_door(const json_t *j, enum change_order order, struct msg_change *m)
{
	uint64_t for_s;

	if (order != CHANGE_OPEN)
		return json_object_get(j, "person") == NULL && json_object_get(j, "ticket") == NULL &&
		       json_object_get(j, "for_s") == NULL;
	if (!take_short(j, "person", m->person) || !take_short(j, "ticket", m->ticket) ||
	    !take_number(j, "for_s", DOOR_MOST, &for_s))
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
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const json_t *name = json_object_get(v, "name"), *text = json_object_get(v, "text");

		if (json_object_size(v) != 2 || !is_text(name, NAME_MOST) || json_string_length(name) == 0 ||
		    !text_is_plain(json_string_value(name), NAME_MOST) || !is_text(text, CHANGE_TEXTS_MOST))
			return false;
		texts[i] = (struct source_text){ .name = json_string_value(name),
						 .text = json_string_value(text),
						 .size = json_string_length(text) };
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
	const json_t *v;
	size_t i, n = 0;

	json_array_foreach(list, i, v)
	{
		if (!is_text(v, NAME_MOST) || json_string_length(v) == 0 || json_string_length(v) >= sizeof(names) - n)
			return CHANGE_NO_ORDER;
		memcpy(names + n, json_string_value(v), json_string_length(v) + 1);
		n += json_string_length(v) + 1;
	}
	return n == 0 ? CHANGE_READ : sealed(ret, names, n);
}

static enum change_read take_order(const json_t *j, struct change_request *ret)
{
	const json_t *texts = json_object_get(j, "texts"), *take = json_object_get(j, "take");
	const char *word = json_string_value(json_object_get(j, "order"));
	struct msg_change *m = &ret->order;
	enum change_order order = word != NULL ? change_by_word(word) : CHANGE_ORDERS;
	bool wants_texts = order == CHANGE_SAVE || order == CHANGE_CHECK;
	bool may_take = order == CHANGE_APPLY || order == CHANGE_ROLLBACK;
	uint64_t confirm_s;

	if (!json_is_object(j) || order == CHANGE_ORDERS || !only_known(j) ||
	    !take_number(j, "revision", INT64_MAX, &m->revision) || !take_number(j, "base", INT64_MAX, &m->base) ||
	    !take_number(j, "to", INT64_MAX, &m->to) || !take_number(j, "confirm_s", CONFIRM_MOST, &confirm_s) ||
	    !take_flag(j, "dry_run", APPLY_DRY_RUN, &m->flags) ||
	    !take_flag(j, "take_over", APPLY_TAKE_OVER, &m->flags) || !take_comment(j, ret) ||
	    !take_object(j, order, ret) || (texts != NULL) != wants_texts ||
	    (take != NULL && (!may_take || !json_is_array(take))))
		return CHANGE_NO_ORDER;
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

/* ---- answers --------------------------------------------------------------------------------- */

/* A refusal by accounts has no member "done". */
static unsigned http_of(const json_t *j, int status)
{
	const json_t *done = json_object_get(j, "done");

	if (!json_is_boolean(done))
		return login_http_of(status);
	return json_is_true(done)	  ? MHD_HTTP_OK
	       : status == ANSWER_INVALID ? MHD_HTTP_UNPROCESSABLE_CONTENT
					  : MHD_HTTP_CONFLICT;
}

enum MHD_Result change_reply(struct MHD_Connection *c, int status, int fd)
{
	json_t *j = NULL;
	uint8_t *text = NULL;
	unsigned http;
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
	http = http_of(j, status);
	return reply_json(c, http, j, NULL);
}

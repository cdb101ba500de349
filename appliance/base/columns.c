/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/json_each.h"
#include "appliance/base/sha256.h"
#include "appliance/base/utf8.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers of any size begin with their lowest byte");

static json_t *value_json(const struct column *c, const void *member)
{
	char text[ADDR_TEXT] = "";
	uint64_t v = 0;

	switch (c->kind) {
	case COLUMN_FORM:
		return json_integer((json_int_t)c->most);
	case COLUMN_BOOL:
		return json_boolean(*(const bool *)member);
	case COLUMN_TEXT:
		return json_text(member);
	case COLUMN_PLAIN:
		return json_string(member);
	case COLUMN_HEX:
		return json_hex(member, c->size);
	case COLUMN_ADDR:
		if (((const struct addr *)member)->family != 0)
			addr_text(member, text);
		return json_string(text);
	case COLUMN_OWN:
		return c->put(member);
	case COLUMN_ROWS:
		memcpy(&v, (const char *)member - c->at + c->count, sizeof(size_t));
		return columns_list(c->rows, member, v);
	case COLUMN_NUMBER:
	case COLUMN_BITS:
	case COLUMN_WORD:
		break;
	}
	memcpy(&v, member, c->size);
	return c->kind == COLUMN_WORD ? json_string(c->words[v]) : json_integer((json_int_t)v);
}

json_t *columns_json(const struct columns *c, const void *row)
{
	json_t *j = json_object();

	for (size_t i = 0; i < c->n; i++)
		j = columns_with(j, c->of[i].name, value_json(&c->of[i], (const char *)row + c->of[i].at));
	return j;
}

json_t *columns_list(const struct columns *c, const void *rows, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, columns_json(c, (const char *)rows + i * c->size));
	return json_list_whole(list, n);
}

json_t *columns_with(json_t *j, const char *name, json_t *value)
{
	if (j != NULL && json_object_set_new(j, name, value) == 0)
		return j;
	if (j == NULL)
		json_decref(value);
	json_decref(j);
	return NULL;
}

static bool text_take(const json_t *j, char *out, size_t size)
{
	size_t n = json_string_length(j);

	if (!json_is_string(j) || n >= size)
		return false;
	memcpy(out, json_string_value(j), n + 1);
	return true;
}

static bool word_take(const struct column *c, const char *word, void *member)
{
	uint64_t v = 0;

	while (word != NULL && v < c->most && strcmp(c->words[v], word) != 0)
		v++;
	memcpy(member, &v, c->size);
	return word != NULL && v < c->most;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static bool value_take(const struct column *c, const json_t *j, void *member)
{
	json_int_t v = json_integer_value(j);

	switch (c->kind) {
	case COLUMN_BOOL:
		*(bool *)member = json_is_true(j);
		return json_is_boolean(j);
	case COLUMN_TEXT:
		return text_take(j, member, c->size);
	case COLUMN_PLAIN:
		return text_take(j, member, c->size) && text_is_plain(member, c->size - 1);
	case COLUMN_HEX:
		return hex_read(json_string_value(j), member, c->size) && (c->least == 0 || !is_zero(member, c->size));
	case COLUMN_ADDR:
		return json_is_string(j) && (json_string_length(j) == 0 || addr_parse(json_string_value(j), member));
	case COLUMN_WORD:
		return word_take(c, json_string_value(j), member);
	case COLUMN_OWN:
		return c->take(j, member);
	case COLUMN_ROWS:
		return columns_list_parse(c->rows, j, member, c->most,
					  (size_t *)(void *)((char *)member - c->at + c->count));
	case COLUMN_BITS:
		memcpy(member, &v, c->size);
		return json_is_integer(j);
	case COLUMN_FORM:
		return json_is_integer(j) && v >= 0 && (uint64_t)v == c->most;
	case COLUMN_NUMBER:
		break;
	}
	if (!json_is_integer(j) || v < 0 || (uint64_t)v < c->least || (uint64_t)v > c->most)
		return false;
	memcpy(member, &v, c->size);
	return true;
}

bool columns_parse(const struct columns *c, const json_t *j, size_t beside, void *ret)
{
	if (!json_is_object(j) || json_object_size(j) != c->n + beside)
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (!value_take(&c->of[i], json_object_get(j, c->of[i].name), (char *)ret + c->of[i].at))
			return false;
	return true;
}

bool columns_list_parse(const struct columns *c, const json_t *list, void *ret, size_t most, size_t *ret_n)
{
	if (!json_is_array(list) || json_array_size(list) > most)
		return false;
	json_each_at(i, j, list)
		if (!columns_parse(c, j, 0, (char *)ret + i * c->size))
			return false;
	*ret_n = json_array_size(list);
	return true;
}

/* ---- files ----------------------------------------------------------------------------------- */

bool columns_read(const struct columns_file *f, const uint8_t *text, size_t n, void *ret)
{
	json_t *j = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	bool sound;

	memset(ret, 0, f->columns->size);
	sound = columns_parse(f->columns, j, 0, ret) && (f->is_sound == NULL || f->is_sound(ret));
	json_decref(j);
	if (!sound)
		memset(ret, 0, f->columns->size);
	return sound;
}

bool columns_load(const struct columns_file *f, int folder, void *ret, bool *ret_damaged)
{
	uint8_t *text = NULL;
	size_t n = 0;
	int r = file_read(folder, f->name, f->most, &text, &n, NULL);
	bool sound = columns_read(f, text, r == 0 ? n : 0, ret);

	free(text);
	*ret_damaged = !sound && r != -ENOENT;
	if (*ret_damaged)
		file_aside(folder, f->name);
	return sound;
}

int columns_save(const struct columns_file *f, int folder, const void *row, struct err *e)
{
	json_t *j = columns_json(f->columns, row);
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	int r = text != NULL ? atomic_write(folder, f->name, text, strlen(text), e)
			     : err_set(e, -ENOMEM, "%s", f->what);

	free(text);
	json_decref(j);
	return r;
}

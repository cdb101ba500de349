/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "appliance/wire/hours.h"

#define NAME "kept"
#define VERSION 1
#define MOST (64u << 20)
/* a mark in memory only: the file could not be read but may be good, so it must not be
 * overwritten */
#define UNREAD "unread"

static const char *const words[KEPT_MARKS] = {
	[KEPT_TAKEN] = "taken",
	[KEPT_RETIRED] = "retired",
	[KEPT_RELEASED] = "released",
};

static const char *kept_mark_word(enum kept_mark m)
{
	return (unsigned)m < KEPT_MARKS ? words[m] : "unknown";
}

static bool mark_known(const json_t *record)
{
	const char *word = json_string_value(json_object_get(record, "mark"));

	for (unsigned i = 0; word != NULL && i < KEPT_MARKS; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* Whether this program knows the version of the file, and the record of each device is valid. */
static bool sound(const json_t *kept)
{
	json_t *devices = json_object_get(kept, "devices"), *record;
	const char *device;

	if (json_integer_value(json_object_get(kept, "version")) != VERSION || !json_is_object(devices))
		return false;
	json_object_foreach(devices, device, record) {
		const json_t *picture = json_object_get(record, "picture");

		if (*device == '\0' || strlen(device) > 15 || strchr(device, '/') != NULL || !mark_known(record) ||
		    (picture != NULL && !json_is_object(picture)))
			return false;
	}
	return true;
}

/* Reads the file. 0; -EBADMSG: the contents are invalid; other errors as file_read. */
static int read_kept(int statefd, json_t **ret, struct err *e)
{
	uint8_t *text;
	size_t n;
	int r = file_read(statefd, NAME, MOST, &text, &n, e);

	*ret = r == 0 ? json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (r < 0)
		return r;
	free(text);
	if (sound(*ret))
		return 0;
	json_decref(*ret);
	*ret = NULL;
	return -EBADMSG;
}

json_t *kept_look(int statefd)
{
	struct err e;
	json_t *kept;

	return read_kept(statefd, &kept, &e) == 0 ? kept : NULL;
}

json_t *kept_load(int statefd, bool *damaged, struct err *e)
{
	json_t *kept;
	int r = read_kept(statefd, &kept, e);

	*damaged = false;
	if (r == 0 || file_for_now(r))
		return kept;
	*damaged = r != -ENOENT;
	kept = json_pack("{s:i, s:s, s:s, s:{}}", "version", VERSION, "data", "", "admin", "", "devices");
	if (kept == NULL)
		err_set(e, -ENOMEM, "read " NAME);
	else if (r == -EBADMSG || file_none(r))
		(void)file_aside(statefd, NAME);
	else if (*damaged)
		json_object_set_new(kept, UNREAD, json_true());
	return kept;
}

int kept_save(int statefd, json_t *kept, struct err *e)
{
	char *text;
	int r;

	if (json_object_get(kept, UNREAD) != NULL) {
		(void)file_aside(statefd, NAME);
		json_object_del(kept, UNREAD);
	}
	text = json_dumps(kept, JSON_INDENT(1) | JSON_SORT_KEYS);
	if (text == NULL)
		return err_set(e, -ENOMEM, "write " NAME);
	r = atomic_write(statefd, NAME, text, strlen(text), e);
	free(text);
	return r;
}

void kept_spaces(json_t *kept, const char *data, const char *admin)
{
	json_object_set_new(kept, "data", json_text(data));
	json_object_set_new(kept, "admin", json_text(admin));
}

json_t *kept_find(const json_t *kept, const char *device)
{
	return json_object_get(json_object_get(kept, "devices"), device);
}

void kept_put(json_t *kept, const char *device, enum kept_mark mark, json_t *picture)
{
	json_t *devices = json_object_get(kept, "devices"), *had = json_object_get(kept_find(kept, device), "picture");
	json_t *record = json_pack("{s:s}", "mark", kept_mark_word(mark));

	if (picture == NULL)
		picture = had;
	if (picture != NULL)
		json_object_set(record, "picture", picture);
	json_object_set_new(devices, device, record);
}

void kept_released(json_t *kept, const char *device, const char *by)
{
	char at[40];

	moment_text(clock_wall_ns(), at);
	kept_put(kept, device, KEPT_RELEASED, NULL);
	json_object_set_new(kept_find(kept, device), "by", json_text(by));
	json_object_set_new(kept_find(kept, device), "at", json_text(at));
}

void kept_left_out(json_t *kept, const char *device, uint64_t by)
{
	kept_put(kept, device, KEPT_RETIRED, NULL);
	json_object_set_new(kept_find(kept, device), "by", json_integer((json_int_t)by));
}

uint64_t kept_left_out_by(const json_t *record)
{
	json_int_t by = json_integer_value(json_object_get(record, "by"));

	return kept_mark(record) == KEPT_RETIRED && by > 0 ? (uint64_t)by : 0;
}

bool kept_in_box(const json_t *kept, const char *device)
{
	const json_t *record = kept_find(kept, device);

	return record == NULL || kept_mark(record) != KEPT_RELEASED || json_object_get(record, "picture") != NULL;
}

void kept_want(json_t *wanted, const json_t *kept, const char *device)
{
	json_t *picture = json_object_get(kept_find(kept, device), "picture");

	json_object_set_new(wanted, device, picture != NULL ? json_incref(picture) : json_null());
}

json_t *kept_wanted(const json_t *kept, const char *device)
{
	json_t *wanted = json_object(), *record;
	const char *each;

	json_object_foreach(json_object_get(kept, "devices"), each, record) {
		if (device == NULL && kept_in_box(kept, each))
			kept_want(wanted, kept, each);
	}
	if (device != NULL && kept_in_box(kept, device))
		kept_want(wanted, kept, device);
	return wanted;
}

void kept_going(json_t *kept, const char *device)
{
	json_t *picture = json_object_get(kept_find(kept, device), "picture");

	if (picture != NULL)
		json_object_set_new(picture, "going", json_true());
}

void kept_gone(json_t *kept, const char *device)
{
	json_t *record = kept_find(kept, device);

	if (record != NULL && kept_mark(record) == KEPT_RELEASED)
		json_object_del(record, "picture");
	else
		json_object_del(json_object_get(kept, "devices"), device);
}

void kept_tell_later(json_t *kept, const char *device, const char *by, uint64_t wall_ns)
{
	json_t *untold = json_object_get(kept, "untold");

	if (!json_is_object(untold)) {
		untold = json_object();
		json_object_set_new(kept, "untold", untold);
	}
	json_object_set_new(untold, device,
			    json_pack("{s:o, s:I}", "by", json_text(by), "wall_ns", (json_int_t)wall_ns));
}

void kept_tell_not(json_t *kept, const char *device)
{
	json_object_del(json_object_get(kept, "untold"), device);
}

json_t *kept_untold(json_t *kept)
{
	json_t *untold = json_incref(json_object_get(kept, "untold"));

	json_object_del(kept, "untold");
	if (json_is_object(untold))
		return untold;
	json_decref(untold);
	return json_object();
}

json_t *kept_json(const json_t *kept)
{
	json_t *list = json_array(), *record;
	const char *device;

	json_object_foreach(json_object_get(kept, "devices"), device, record) {
		const json_t *picture = json_object_get(record, "picture"),
			     *link = json_array_get(json_object_get(picture, "links"), 0);
		json_t *was = json_array();

		json_each(fact, json_object_get(link, "facts"))
			json_array_append(was, json_object_get(fact, "text"));
		json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o}", "device", device, "mark",
						      kept_mark_word(kept_mark(record)), "up",
						      json_is_true(json_object_get(link, "up")), "was", was));
	}
	return list;
}

enum kept_mark kept_mark(const json_t *record)
{
	const char *word = json_string_value(json_object_get(record, "mark"));

	for (unsigned i = 0; word != NULL && i < KEPT_MARKS; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum kept_mark)i;
	return KEPT_TAKEN;
}

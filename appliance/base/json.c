/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/memfd.h"
#include "appliance/base/sha256.h"
#include "appliance/base/utf8.h"

json_t *json_text(const char *s)
{
	struct utf8_char c;
	struct bytes rest;
	json_t *j;
	char *copy;

	if (s == NULL)
		return json_null();
	j = json_string(s);
	if (j != NULL)
		return j;
	copy = strdup(s);
	if (copy == NULL)
		return NULL;
	rest = bytes_of(copy, strlen(copy));
	for (char *at = copy; utf8_next(&rest, &c); at += c.size)
		if (!c.valid)
			*at = '?';
	j = json_string(copy);
	free(copy);
	return j;
}

json_t *json_addr(const struct addr *a)
{
	char text[ADDR_TEXT];

	addr_text(a, text);
	return json_string(text);
}

json_t *json_addr_range(const struct addr_range *r)
{
	char text[2 * ADDR_TEXT];

	addr_range_text(r, text, sizeof(text));
	return json_string(text);
}

json_t *json_addr_ranges(const struct addr_range *r, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_addr_range(&r[i]));
	return list;
}

json_t *json_endpoint(const struct addr *a, uint16_t port)
{
	char text[ADDR_TEXT];

	addr_text(a, text);
	return json_sprintf(a->family == 6 ? "[%s]:%u" : "%s:%u", text, (unsigned)port);
}

json_t *json_hex(const uint8_t *p, size_t n)
{
	char *text = malloc(2 * n + 1);
	json_t *j;

	if (text == NULL)
		return NULL;
	hex_text(p, n, text);
	j = json_string(text);
	free(text);
	return j;
}

json_t *json_time(uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / 1000000000u);
	char text[40];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL)
		return json_null();
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return json_sprintf("%s.%03uZ", text, (unsigned)(wall_ns / 1000000u % 1000u));
}

json_t *json_seconds(uint64_t seconds)
{
	return seconds != 0 ? json_time(seconds * 1000000000u) : json_null();
}

json_t *json_text_or_null(const char *s)
{
	return json_text(s != NULL && *s != '\0' ? s : NULL);
}

void json_line(FILE *to, json_t *j)
{
	json_dumpf(j, to, JSON_COMPACT);
	putc('\n', to);
	json_decref(j);
}

int json_memfd(json_t *j)
{
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	int fd;

	json_decref(j);
	if (text == NULL)
		return -ENOMEM;
	fd = memfd_sealed("json", text, strlen(text));
	free(text);
	return fd;
}

json_t *json_of_memfd(int fd, size_t most)
{
	uint8_t *text = NULL;
	struct err e;
	json_t *j;
	size_t n;

	if (fd < 0 || memfd_read(fd, most, &text, &n, &e) < 0)
		return NULL;
	j = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return j;
}

json_t *json_list_whole(json_t *list, size_t n)
{
	if (json_array_size(list) == n)
		return list;
	json_decref(list);
	return NULL;
}

const char *text_in(const json_t *x, const char *key)
{
	const char *t = json_string_value(json_object_get(x, key));

	return t != NULL ? t : "";
}

uint64_t count_in(const json_t *x, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(x, key));

	return n > 0 ? (uint64_t)n : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/alarm_lines.h"

#include <stdio.h>
#include <string.h>

/* The line of the alarm's title; a new one if there is none. */
static json_t *line_of(json_t *lines, const json_t *alarm)
{
	json_each(line, lines)
		if (js_is(ja(line, "title"), "en", js(ja(alarm, "title"), "en")) &&
		    jb(line, "grave") == jb(alarm, "grave"))
			return line;
	(void)json_array_append_new(lines,
				    json_pack("{s:O, s:O, s:O, s:O, s:[], s:[], s:[], s:[]}", "title",
					      json_object_get(alarm, "title"), "grave", json_object_get(alarm, "grave"),
					      "since", json_object_get(alarm, "since"), "step",
					      json_object_get(alarm, "step"), "machines", "sources", "offers", "keys"));
	return json_array_get(lines, json_array_size(lines) - 1);
}

static bool is_listed(const json_t *list, const json_t *name)
{
	json_each(x, list)
		if (json_equal(x, name))
			return true;
	return false;
}

/* Adds names that are in neither list. */
static void add_names(json_t *to, const json_t *names, const json_t *but)
{
	json_each(name, names)
		if (!is_listed(to, name) && !is_listed(but, name))
			(void)json_array_append(to, name);
}

json_t *alarm_lines(const json_t *alarms)
{
	json_t *lines = json_array();

	for (int grave = 1; grave >= 0; grave--)
		json_each(a, alarms) {
			json_t *line = jb(a, "grave") == (grave != 0) ? line_of(lines, a) : NULL;
			const char *since = js(line, "since");

			if (line == NULL)
				continue;
			if (*since == '\0' || (*js(a, "since") != '\0' && strcmp(js(a, "since"), since) < 0))
				json_object_set(line, "since", json_object_get(a, "since"));
			add_names(json_object_get(line, "sources"), ja(a, "sources"), NULL);
			add_names(json_object_get(line, "offers"), ja(a, "offers"), NULL);
			add_names(json_object_get(line, "machines"), ja(a, "machines"), ja(a, "sources"));
			(void)json_array_append(json_object_get(line, "keys"), json_object_get(a, "key"));
		}
	return lines;
}

char *alarm_headline(const json_t *lines, enum lang l)
{
	const char *first = js(ja(json_array_get(lines, 0), "title"), lang_name(l));
	size_t all = 0, n = json_array_size(lines), size;
	char *text = NULL;
	FILE *to = open_memstream(&text, &size);

	json_each(line, lines)
		all += json_array_size(ja(line, "keys"));
	if (to == NULL)
		return NULL;
	if (all == 1)
		message_print(to, l, M_HEADLINE_ONE, first);
	else if (all > 1)
		message_print(to, l, n > 1 ? M_HEADLINE_MORE : M_HEADLINE_SAME, all, first);
	return text_closed(to, &text);
}

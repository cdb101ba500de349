/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/picture/picture.h"

#include <stdio.h>
#include <string.h>

#include "mgmt/state/read.h"
#include "mgmt/words/command.h"

static const char *const parts[] = { [FLOW_IT] = "it", [FLOW_OT] = "ot", [FLOW_ALL] = "it_ot" };
static const char *const ways[] = {
	[FLOW_THERE] = "to_destination", [FLOW_BACK] = "to_source", [FLOW_THERE | FLOW_BACK] = "both"
};

/* The index of `word` in `words`, from 1 to 3; 0: `words` has no such word. */
static unsigned place_of(const char *const words[], const char *word)
{
	unsigned i = 3;

	while (i > 0 && strcmp(words[i], word) != 0)
		i--;
	return i;
}

static enum flow_part side_of(const char *class)
{
	return strcmp(class, "ot") == 0 || strcmp(class, "operations") == 0 ? FLOW_OT : FLOW_IT;
}

unsigned flow_data(const json_t *row)
{
	return place_of(ways, js(row, "data"));
}

/* By conduit: what its grants carry, each protocol once with all its words. */
static json_t *carried_by(const json_t *effective)
{
	const json_t *permits = ja(effective, "permits");
	json_t *all = json_object();

	json_each(permit, permits) {
		json_each(grant, ja(permit, "grants")) {
			json_t *of = json_object_get(all, js(grant, "conduit")), *commands, *has;

			if (jb(grant, "shadow"))
				continue;
			if (of == NULL) {
				of = json_object();
				(void)json_object_set_new(all, js(grant, "conduit"), of);
			}
			commands = grant_commands(grant);
			has = json_object_get(of, js(grant, "protocol"));
			if (has == NULL) {
				(void)json_object_set(of, js(grant, "protocol"), commands);
			} else {
				json_each(word, commands) {
					bool there = false;

					for (size_t n = 0; n < json_array_size(has); n++)
						there = there || json_equal(json_array_get(has, n), word);
					if (!there)
						(void)json_array_append(has, (json_t *)(uintptr_t)word);
				}
			}
			json_decref(commands);
		}
	}
	return all;
}

/* Reading and diagnosis send data back; an uninspected or observed conduit may carry data in both
 * directions. */
static unsigned data_of(const json_t *k, json_t *carried)
{
	unsigned data = js_is(k, "mode", "observe") ? FLOW_THERE | FLOW_BACK : 0;
	const char *protocol;
	json_t *commands;

	json_object_foreach(carried, protocol, commands) {
		if (json_array_size(commands) == 0)
			data = FLOW_THERE | FLOW_BACK;
		json_each(word, commands) {
			bool reads = strcmp(json_string_value(word), "read") == 0 ||
				     strcmp(json_string_value(word), "diagnose") == 0;

			data |= reads ? FLOW_BACK : FLOW_THERE;
		}
	}
	return data != 0 ? data : FLOW_THERE | FLOW_BACK;
}

static json_t *row_of(const json_t *k, const json_t *sides, json_t *carried)
{
	static const char *const keys[] = { "name", "label", "from", "to", "mode", "until", "door", "purpose" };
	json_t *row = json_object(), *list = json_array(), *commands;
	unsigned part = (unsigned)(ju(sides, js(k, "from")) | ju(sides, js(k, "to")));
	bool observed = js_is(k, "mode", "observe");
	const char *protocol;

	/* Of a conduit that only observes everything passes, whatever its rows say. */
	json_object_foreach(carried, protocol, commands)
		(void)json_array_append_new(list, json_pack("{s:s, s:O}", "protocol", protocol, "commands",
							    observed ? json_null() : commands));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *v = json_object_get(k, keys[i]);

		(void)json_object_set(row, keys[i], v != NULL ? v : json_null());
	}
	(void)json_object_set_new(row, "part", json_string(parts[part != 0 ? part : FLOW_ALL]));
	(void)json_object_set_new(row, "carries", list);
	(void)json_object_set_new(row, "data", json_string(ways[data_of(k, carried)]));
	return row;
}

json_t *flow_sheet(const json_t *effective, enum flow_part part)
{
	json_t *sheet = ja(effective, "conduits") != NULL ? json_copy((json_t *)(uintptr_t)effective) : NULL;
	json_t *carried = carried_by(effective), *sides = json_object(), *ends = json_object(),
	       *conduits = json_array(), *zones = json_array();
	bool failed;

	json_each(one, ja(effective, "zones"))
		(void)json_object_set_new(sides, js(one, "name"), json_integer(side_of(js(one, "class"))));
	json_each(one, ja(effective, "conduits")) {
		json_t *row = row_of(one, sides, json_object_get(carried, js(one, "name")));

		if ((place_of(parts, js(row, "part")) & part) != 0) {
			(void)json_object_set_new(ends, js(row, "from"), json_true());
			(void)json_object_set_new(ends, js(row, "to"), json_true());
			(void)json_array_append(conduits, row);
		}
		json_decref(row);
	}
	json_each(one, ja(effective, "zones")) {
		/* Zones that do not belong to this part, and the box itself, are kept only if a
		 * conduit leads to or from them. */
		if (json_object_get(ends, js(one, "name")) != NULL ||
		    ((side_of(js(one, "class")) & part) != 0 && !js_is(one, "name", "self")))
			(void)json_array_append(zones, one);
	}
	failed = json_object_set_new(sheet, "conduits", conduits) < 0;
	/* takes over the reference even when it fails */
	failed = json_object_set_new(sheet, "zones", zones) < 0 || failed;
	if (failed) {
		json_decref(sheet);
		sheet = NULL;
	}
	json_decref(carried);
	json_decref(sides);
	json_decref(ends);
	return sheet;
}

static enum message class_name(const char *word)
{
	return strcmp(word, "read") == 0      ? M_FLOW_READ
	       : strcmp(word, "write") == 0   ? M_FLOW_WRITE
	       : strcmp(word, "control") == 0 ? M_FLOW_CONTROL
	       : strcmp(word, "program") == 0 ? M_FLOW_PROGRAM
					      : M_FLOW_DIAGNOSE;
}

void flow_text(char *out, size_t size, const json_t *row, const json_t *carried, enum lang l)
{
	bool observed = js_is(row, "mode", "observe");
	const json_t *commands = json_object_get(carried, "commands");
	int n = snprintf(out, size, "%s", js(carried, "protocol"));

	if (json_is_null(commands))
		(void)snprintf(out + n, size - (size_t)n, ": %s",
			       message_format(observed ? M_FLOW_OBSERVED : M_FLOW_UNREAD, l));
	json_each_at(i, word, commands)
		if ((size_t)n < size)
			n += snprintf(out + n, size - (size_t)n, "%s%s", i == 0 ? ": " : ", ",
				      message_format(class_name(json_string_value(word)), l));
}

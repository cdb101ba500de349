/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what two policies mean, and what differs. */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/policy/means.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/state/read.h"
#include "policy/render/render.h"

#define PLACES_SHOWN 6u

static void places_print(struct cli *c, const json_t *places, size_t more)
{
	const json_t *p;
	size_t i;

	json_array_foreach(places, i, p)
		if (i < PLACES_SHOWN)
			source_say(c, M_MEANS_PLACE, js(p, "source"), js(p, "destination"), js(p, "protocol"),
				   js(p, "ports"));
	more += i;
	if (more > PLACES_SHOWN)
		source_say(c, M_MEANS_MORE, more - PLACES_SHOWN);
}

static void sentence_print(struct cli *c, const char *text)
{
	char *safe = text_safe(text);

	text_wrap(c->out, safe != NULL ? safe : "", 0, 4);
	fputc('\n', c->out);
	free(safe);
}

void settings_print(struct cli *c, const char *text)
{
	char *all = text != NULL ? strdup(text) : NULL, *rest = all;

	for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n"))
		if (*line != '\0')
			sentence_print(c, line);
	free(all);
}

void means_print(struct cli *c, const json_t *sentences, const char *before, const char *after)
{
	/* The settings stand behind what becomes possible and impossible. */
	if (js_is(json_array_get(sentences, 0), "kind", "settings") || json_array_size(sentences) == 0)
		sentence_print(c, message_format(M_MEANS_SAME, c->lang));
	json_each(l, sentences) {
		char text[MEANS_LINE];

		if (js_is(l, "kind", "settings")) {
			settings_print(c, js(json_object_get(l, "text"), lang_name(c->lang)));
			continue;
		}
		means_line(l, c->lang, js_is(l, "of", "before") ? before : after, text, sizeof(text));
		sentence_print(c, text);
		places_print(c, ja(l, "places"), ju(l, "more_places"));
	}
}

void means_answered(struct cli *c, const json_t *answer, const char *folder)
{
	const json_t *all = json_object_get(answer, "meaning");

	if (!json_is_array(all))
		return;
	means_print(c, all, folder, folder);
	if (ju(answer, "more_meaning") == 0)
		return;
	message_print(c->out, c->lang, M_MEANS_OTHERS, (size_t)ju(answer, "more_meaning"));
	fputc('\n', c->out);
}

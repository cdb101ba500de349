/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/policy/means.h"

#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/screen/wrap.h"
#include "mgmt/state/read.h"
#include "policy/render/means.h"

#define PLACES_SHOWN 6u

static void places_print(struct cli *c, const json_t *places, size_t more)
{
	const json_t *p;
	size_t i;

	json_array_foreach(places, i, p) if (i < PLACES_SHOWN)
		source_say(c, M_MEANS_PLACE, js(p, "source"), js(p, "destination"), js(p, "protocol"), js(p, "ports"));
	more += i;
	if (more > PLACES_SHOWN)
		source_say(c, M_MEANS_MORE, more - PLACES_SHOWN);
}

static void line_print(struct cli *c, const char *text)
{
	char *safe = text_safe(text);

	text_wrap(c->out, safe != NULL ? safe : "", 0, 4);
	fputc('\n', c->out);
	free(safe);
}

void means_print(struct cli *c, const json_t *sentences, const char *before, const char *after)
{
	const json_t *l;
	size_t i;

	json_array_foreach(sentences, i, l)
	{
		char text[MEANS_LINE];

		means_line(l, c->lang, strcmp(js(l, "of"), "before") == 0 ? before : after, text, sizeof(text));
		line_print(c, text);
		places_print(c, ja(l, "places"), ju(l, "more_places"));
	}
	if (i == 0)
		line_print(c, message_format(M_MEANS_SAME, c->lang));
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

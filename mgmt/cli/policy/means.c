/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/policy/means.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "mgmt/cli/screen/width.h"
#include "mgmt/cli/words/render.h"
#include "policy/space/differ.h"

#define PLACES_SHOWN 6u

/* ---- as data -------------------------------------------------------------------------------------------------------- */

static const char *const kinds[] = {
	[DIFFER_PACKETS] = "packets",
	[DIFFER_COMMANDS] = "commands",
	[DIFFER_TREATED] = "treated",
};

static json_t *range_json(const struct addr_range *r)
{
	char text[2 * ADDR_TEXT];

	addr_range_text(r, text, sizeof(text));
	return json_text(text);
}

/* "502", "500-510"; of ICMP the type, and the code where it is one alone. */
static json_t *ports_json(const struct differ_place *p)
{
	unsigned lo = p->lo, hi = p->hi;

	if (p->l4proto == 6 || p->l4proto == 17)
		return lo == hi ? json_sprintf("%u", lo) : json_sprintf("%u-%u", lo, hi);
	if (lo >> 8 == hi >> 8 && (lo & 255) == 0)
		return json_sprintf("%u", lo >> 8);
	return json_sprintf("%u/%u-%u/%u", lo >> 8, lo & 255, hi >> 8, hi & 255);
}

static json_t *place_json(const struct differ_place *p)
{
	const char *transport = p->l4proto == 6 ? "tcp" : p->l4proto == 17 ? "udp" : "icmp";

	return json_pack("{s:o,s:o,s:s,s:o}", "source", range_json(&p->src), "destination", range_json(&p->dst),
			 "protocol", transport, "ports", ports_json(p));
}

static json_t *moment_json(uint64_t at)
{
	return at != 0 ? json_time(at * 1000000000ull) : json_null();
}

static json_t *sentence_json(const struct source *s, const struct differ_line *l)
{
	json_t *places = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(places, place_json(&l->list[i]));
	return json_pack("{s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:i,s:s,s:o,s:o,s:o,s:o}", "kind", kinds[l->kind], "comes",
			 (int)l->comes, "what", json_text(l->what), "from", json_text(l->by->from->name), "to",
			 json_text(l->by->to->name), "conduit", json_text(l->by->name), "file",
			 json_text(source_file(s, l->by->at)), "line", (int)l->by->at.line, "of",
			 l->by_old ? "before" : "after", "since", moment_json(l->since), "until", moment_json(l->until),
			 "places", places, "label", json_text(l->by->label));
}

json_t *means_json(const struct source *before, const struct source *after)
{
	struct differ_line *list;
	json_t *all;
	size_t n;

	if (!differ(before->c.model, after->c.model, clock_wall_ns() / 1000000000ull, after->arena, &list, &n))
		return NULL;
	all = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, sentence_json(list[i].by_old ? before : after, &list[i]));
	return all;
}

/* ---- in sentences --------------------------------------------------------------------------------------------------- */

static enum message head_of(const json_t *l)
{
	const char *kind = js(l, "kind");

	if (strcmp(kind, kinds[DIFFER_TREATED]) == 0)
		return M_MEANS_TREATED;
	if (strcmp(kind, kinds[DIFFER_PACKETS]) == 0)
		return jb(l, "comes") ? M_MEANS_PACKETS_COME : M_MEANS_PACKETS_GONE;
	return jb(l, "comes") ? M_MEANS_COMMANDS_COME : M_MEANS_COMMANDS_GONE;
}

static void places_print(struct cli *c, const json_t *places)
{
	const json_t *p;
	size_t i;

	json_array_foreach(places, i, p) if (i < PLACES_SHOWN)
		source_say(c, M_MEANS_PLACE, js(p, "source"), js(p, "destination"), js(p, "protocol"), js(p, "ports"));
	if (i > PLACES_SHOWN)
		source_say(c, M_MEANS_MORE, i - PLACES_SHOWN);
}

static void sentence_print(struct cli *c, const json_t *l, const char *folder)
{
	char *file = text_safe(js(l, "file")), *safe = text_safe(folder), when[RENDER_TEXT];
	const char *what = *js(l, "what") != '\0' ? js(l, "what") : message_format(M_MEANS_ANYTHING, c->lang);

	source_say(c, head_of(l), js(l, "from"), js(l, "to"), what, js(l, "conduit"), safe != NULL ? safe : "",
		   file != NULL ? file : "?", (unsigned)ju(l, "line"));
	free(file);
	free(safe);
	places_print(c, ja(l, "places"));
	if (json_is_string(json_object_get(l, "since"))) {
		render_time(js(l, "since"), when);
		source_say(c, M_MEANS_SINCE, when);
	}
	if (json_is_string(json_object_get(l, "until"))) {
		render_time(js(l, "until"), when);
		source_say(c, M_MEANS_UNTIL, when);
	}
}

void means_print(struct cli *c, const json_t *sentences, const char *before, const char *after)
{
	const json_t *l;
	size_t i;

	json_array_foreach(sentences, i, l)
	{
		sentence_print(c, l, strcmp(js(l, "of"), "before") == 0 ? before : after);
	}
	if (i == 0)
		source_say(c, M_MEANS_SAME);
}

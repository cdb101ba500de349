/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/render/render.h"

#include <stdio.h>
#include <string.h>

#include "policy/check/model.h"
#include "policy/space/differ.h"
#include "policy/space/prove.h"

static const char *const kinds[] = {
	[DIFFER_PACKETS] = "packets",
	[DIFFER_COMMANDS] = "commands",
	[DIFFER_TREATED] = "treated",
	[DIFFER_LIMITS] = "limits",
};

static json_t *range_json(const struct addr_range *r)
{
	char text[2 * ADDR_TEXT];

	addr_range_text(r, text, sizeof(text));
	return json_text(text);
}

/* "502", "500-510"; for ICMP the type, and the code if there is a single one. */
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

static const char *said(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text != NULL ? text : "";
}

/* "2100-01-01 00:00 UTC" for a JSON time; "" = none. */
static void moment_text(const char *at, char out[32])
{
	out[0] = '\0';
	if (strlen(at) >= 16)
		snprintf(out, 32, " %.10s %.5s UTC", at, at + 11);
}

void means_line(const json_t *l, enum lang lang, const char *folder, char *out, size_t size)
{
	const char *kind = said(l, "kind"), *what = said(l, "what");
	bool comes = json_is_true(json_object_get(l, "comes"));
	enum message m =
		strcmp(kind, kinds[DIFFER_TREATED]) == 0   ? M_MEANS_TREATED
		: strcmp(kind, kinds[DIFFER_LIMITS]) == 0  ? comes ? M_MEANS_LIMITS_LONGER : M_MEANS_LIMITS_SHORTER
		: strcmp(kind, kinds[DIFFER_PACKETS]) == 0 ? comes ? M_MEANS_PACKETS_COME : M_MEANS_PACKETS_GONE
		: comes					   ? M_MEANS_COMMANDS_COME
							   : M_MEANS_COMMANDS_GONE;
	char place[MEANS_LINE], since[32], until[32], when[80 + WHEN_TEXT] = "";

	moment_text(said(l, "since"), since);
	moment_text(said(l, "until"), until);
	if (since[0] != '\0' || until[0] != '\0')
		snprintf(when, sizeof(when), ",%s ..%s", since, until);
	if (*said(l, "when") != '\0')
		snprintf(when + strlen(when), sizeof(when) - strlen(when), "; %s", said(l, "when"));
	snprintf(place, sizeof(place), "%s%s:%lld", folder, said(l, "file"),
		 (long long)json_integer_value(json_object_get(l, "line")));
	(void)message_text(out, size, lang, m, said(l, "from"), said(l, "to"),
			   *what != '\0' ? what : message_format(M_MEANS_ANYTHING, lang), said(l, "conduit"), place,
			   when);
}

/* Both languages for readers without a catalogue: {"en": ..., "ja": ...}. */
static json_t *text_json(const json_t *l)
{
	json_t *j = json_object();

	for (int lang = 0; lang < LANGUAGES; lang++) {
		char line[MEANS_LINE];

		means_line(l, (enum lang)lang, "", line, sizeof(line));
		json_object_set_new(j, lang_name((enum lang)lang), json_text(line));
	}
	return j;
}

static json_t *sentence_json_of(const struct compilation *c, const struct differ_line *l)
{
	const char *file = l->by->at.file < c->n_sources ? c->sources[l->by->at.file].name : "";
	json_t *places = json_array(), *j;
	char when[WHEN_TEXT] = "";

	if (l->by->within != NULL || l->by->door != NULL)
		conduit_when_text(c->model, l->by, when, sizeof(when));
	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(places, place_json(&l->list[i]));
	j = json_pack("{s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:i,s:s,s:o,s:o,s:o,s:o,s:o}", "kind", kinds[l->kind], "comes",
		      (int)l->comes, "what", json_text(l->what), "from", json_text(l->by->from->name), "to",
		      json_text(l->by->to->name), "conduit", json_text(l->by->name), "file", json_text(file), "line",
		      (int)l->by->at.line, "of", l->by_old ? "before" : "after", "since", moment_json(l->since),
		      "until", moment_json(l->until), "places", places, "label", json_text(l->by->label), "when",
		      json_text(when));
	json_object_set_new(j, "text", text_json(j));
	return j;
}

json_t *means_json(const struct compilation *before, const struct compilation *after, uint64_t now)
{
	struct differ_line *list;
	json_t *all;
	size_t n;

	if (!differ(before->model, after->model, now, after->arena, &list, &n))
		return NULL;
	all = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, sentence_json_of(list[i].by_old ? before : after, &list[i]));
	return all;
}

json_t *means_bounded(json_t *sentences, size_t *ret_more)
{
	json_t *l;
	size_t i;

	*ret_more = 0;
	while (json_array_size(sentences) > MEANS_MOST) {
		json_array_remove(sentences, json_array_size(sentences) - 1);
		++*ret_more;
	}
	json_array_foreach(sentences, i, l)
	{
		json_t *places = json_object_get(l, "places");
		size_t n = json_array_size(places);

		while (json_array_size(places) > MEANS_PLACES)
			json_array_remove(places, json_array_size(places) - 1);
		if (n > MEANS_PLACES)
			json_object_set_new(l, "more_places", json_integer((json_int_t)(n - MEANS_PLACES)));
	}
	return sentences;
}

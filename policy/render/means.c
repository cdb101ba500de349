/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/json_each.h"
#include "policy/render/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/wire/hours.h"
#include "policy/check/model.h"
#include "policy/check/port.h"
#include "policy/space/differ.h"
#include "policy/space/prove.h"

#define MEANS_WHEN 500u /* bytes of the text about times */
#define DATES_SHOWN 3u	/* excepted days of a window; of others the number */

static const char *const kinds[] = {
	[DIFFER_PACKETS] = "packets",
	[DIFFER_COMMANDS] = "commands",
	[DIFFER_TREATED] = "treated",
	[DIFFER_LIMITS] = "limits",
};

/* "502", "500-510"; for ICMP the type, and the code unless it is 0. */
static json_t *ports_json(const struct differ_place *p)
{
	unsigned lo = p->lo, hi = p->hi;

	if (p->l4proto == 6 || p->l4proto == 17)
		return lo == hi ? json_sprintf("%u", lo) : json_sprintf("%u-%u", lo, hi);
	if (lo == hi && (lo & 255) == 0)
		return json_sprintf("%u", lo >> 8);
	return json_sprintf("%u/%u-%u/%u", lo >> 8, lo & 255, hi >> 8, hi & 255);
}

static json_t *place_json(const struct differ_place *p)
{
	const char *transport = p->l4proto == 6 ? "tcp" : p->l4proto == 17 ? "udp" : "icmp";

	return json_pack("{s:o,s:o,s:s,s:o}", "source", json_addr_range(&p->src), "destination",
			 json_addr_range(&p->dst), "protocol", transport, "ports", ports_json(p));
}

/* " 2100-01-01 09:00 JST" for a JSON time; "" = none. */
static void written_moment(const char *at, char out[MOMENT_FOR_PEOPLE + 1])
{
	struct tm utc = { 0 };

	out[0] = '\0';
	if (strptime(at, "%Y-%m-%dT%H:%M:%S", &utc) == NULL)
		return;
	out[0] = ' ';
	minute_text((uint64_t)timegm(&utc), out + 1);
}

/* "; fri 08:00-22:00 Asia/Tokyo, while door d0 is open": the windows and doors of a sentence. */
static void terms_text(const json_t *terms, enum lang lang, char *out, size_t size)
{
	json_each_at(i, t, terms) {
		bool open = json_is_true(json_object_get(t, "open")), door = json_is_string(json_object_get(t, "door"));
		const char *hours = text_in(t, "hours");
		char *to = out + strlen(out);

		snprintf(to, size - strlen(out), i == 0 ? "; " : ", ");
		to += 2;
		if (door)
			(void)message_text(to, size - (size_t)(to - out), lang,
					   open ? M_MEANS_DOOR_OPEN : M_MEANS_DOOR_SHUT, text_in(t, "door"));
		else if (open)
			snprintf(to, size - (size_t)(to - out), "%s", hours);
		else
			(void)message_text(to, size - (size_t)(to - out), lang, M_MEANS_WINDOW_SHUT, hours);
	}
}

void means_line(const json_t *l, enum lang lang, const char *folder, char *out, size_t size)
{
	const char *kind = text_in(l, "kind"), *what = text_in(l, "what");
	bool comes = json_is_true(json_object_get(l, "comes"));
	enum message m =
		strcmp(kind, kinds[DIFFER_TREATED]) == 0   ? M_MEANS_TREATED
		: strcmp(kind, kinds[DIFFER_LIMITS]) == 0  ? comes ? M_MEANS_LIMITS_LONGER : M_MEANS_LIMITS_SHORTER
		: strcmp(kind, kinds[DIFFER_PACKETS]) == 0 ? comes ? M_MEANS_PACKETS_COME : M_MEANS_PACKETS_GONE
		: comes					   ? M_MEANS_COMMANDS_COME
							   : M_MEANS_COMMANDS_GONE;
	char place[MEANS_LINE], since[MOMENT_FOR_PEOPLE + 1], until[MOMENT_FOR_PEOPLE + 1], when[MEANS_WHEN] = "";

	written_moment(text_in(l, "since"), since);
	written_moment(text_in(l, "until"), until);
	if (since[0] != '\0' || until[0] != '\0')
		snprintf(when, sizeof(when), ",%s ..%s", since, until);
	terms_text(json_object_get(l, "when"), lang, when, sizeof(when));
	snprintf(place, sizeof(place), "%s%s:%lld", folder, text_in(l, "file"),
		 (long long)json_integer_value(json_object_get(l, "line")));
	(void)message_text(out, size, lang, m, text_in(l, "from"), text_in(l, "to"),
			   *what != '\0' ? what : message_format(M_MEANS_ANYTHING, lang), text_in(l, "conduit"), place,
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

/* The new policy says how its time zone is called, also where the old one has the same but is no
 * text any more. */
static json_t *hours_json(const struct differ_term *t, const struct model *new)
{
	const struct model *m = strcmp(t->of->time_zone, new->time_zone) == 0 ? new : t->of;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	json_t *j = NULL;

	if (to == NULL)
		return NULL;
	window_print(to, t->window, m->time_zone_said);
	window_dates_print(to, t->window, DATES_SHOWN);
	if (fclose(to) == 0)
		j = json_text(text);
	free(text);
	return j;
}

static json_t *terms_json(const struct differ_line *l, const struct model *new)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->n_terms; i++) {
		const struct differ_term *t = &l->terms[i];

		json_array_append_new(list, json_pack("{s:b,s:o,s:o}", "open", (int)t->open, "door",
						      t->door != NULL ? json_text(t->door) : json_null(), "hours",
						      t->window != NULL ? hours_json(t, new) : json_null()));
	}
	return json_list_whole(list, l->n_terms);
}

static json_t *sentence_json_of(const struct compilation *c, const struct differ_line *l, const struct model *new)
{
	const char *file = l->by->at.file < c->n_sources ? c->sources[l->by->at.file].name : "";
	json_t *places = json_array(), *j;

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(places, place_json(&l->list[i]));
	j = json_pack("{s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:i,s:s,s:o,s:o,s:o,s:o,s:o}", "kind", kinds[l->kind], "comes",
		      (int)l->comes, "what", json_text(l->what), "from", json_text(l->by->from->name), "to",
		      json_text(l->by->to->name), "conduit", json_text(l->by->name), "file", json_text(file), "line",
		      (int)l->by->at.line, "of", l->by_old ? "before" : "after", "since", json_seconds(l->since),
		      "until", json_seconds(l->until), "places", places, "label", json_text(l->by->label), "when",
		      terms_json(l, new));
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
		json_array_append_new(all, sentence_json_of(list[i].by_old ? before : after, &list[i], after->model));
	return all;
}

json_t *means_bounded(json_t *sentences, size_t *ret_more)
{
	*ret_more = 0;
	while (json_array_size(sentences) > MEANS_MOST) {
		json_array_remove(sentences, json_array_size(sentences) - 1);
		++*ret_more;
	}
	json_each(l, sentences) {
		json_t *places = json_object_get(l, "places");
		size_t n = json_array_size(places);

		while (json_array_size(places) > MEANS_PLACES)
			json_array_remove(places, json_array_size(places) - 1);
		if (n > MEANS_PLACES)
			json_object_set_new(l, "more_places", json_integer((json_int_t)(n - MEANS_PLACES)));
	}
	return sentences;
}

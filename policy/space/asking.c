/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/json_each.h"
#include "policy/space/asked.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "appliance/base/sentence.h"
#include "appliance/wire/hours.h"
#include "policy/check/port.h"

/* ---- ends in words --------------------------------------------------------------------------- */

void ranges_text(const struct addr_range *r, size_t n, char out[RANGES_TEXT])
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		char one[2 * ADDR_TEXT];

		addr_range_text(&r[i], one, sizeof(one));
		if (at + strlen(one) + 32 > RANGES_TEXT) {
			snprintf(out + at, RANGES_TEXT - at, ", +%zu", n - i);
			return;
		}
		at += (size_t)snprintf(out + at, RANGES_TEXT - at, "%s%s", i > 0 ? ", " : "", one);
	}
}

/* ---- the question ---------------------------------------------------------------------------- */

enum { FROM, TO };

/* The text of the question and its meaning in this policy. */
struct asking {
	const struct compilation *c;
	const struct asking_words *w;
	struct asked q; /* with one end each */
	struct asked_end *ends[2];
	size_t n_ends[2];
	struct ir_port port;
	char place[64];
	json_t *said; /* the sentences of the answer, in order */
};

static bool service_meant(struct asking *k, const char *text)
{
	const struct model *m = k->c->model;

	for (size_t i = 0; i < m->n_services; i++)
		if (strcmp(text, m->services[i].name) == 0 ||
		    (m->services[i].label[0] != '\0' && strcmp(text, m->services[i].label) == 0)) {
			k->q.service = &m->services[i];
			k->q.protocol = m->services[i].protocol;
			return true;
		}
	for (unsigned p = PROTO_NONE + 1; p < PROTO_COUNT; p++)
		if (strcmp(text, protocol_info((enum protocol)p)->name) == 0) {
			k->q.protocol = (enum protocol)p;
			return true;
		}
	if (port_parse(text, &k->port) == NULL)
		return false;
	k->q.port = &k->port;
	return true;
}

/* NULL, or the error in the question. */
static json_t *question(struct asking *k)
{
	const struct asking_words *w = k->w;
	const char *const names[2] = { w->from, w->to };
	const char *equals, *word;

	for (int end = FROM; end <= TO; end++) {
		if (names[end] == NULL)
			continue;
		k->n_ends[end] = asked_ends(k->c->model, names[end], k->c->arena, &k->ends[end]);
		if (arena_failed(k->c->arena))
			return json_sentence(M_CLI_NO_MEMORY);
		if (k->n_ends[end] == 0)
			return json_sentence(M_ASK_NOBODY, names[end]);
	}
	if (w->service != NULL && !service_meant(k, w->service))
		return json_sentence(M_ASK_NO_SERVICE, w->service);
	k->q.command = w->command;
	if (w->address != NULL) {
		equals = strchr(w->address, '=');
		if (equals == NULL || (size_t)(equals - w->address) >= sizeof(k->place))
			return json_sentence(M_ASK_ADDRESS, w->address);
		memcpy(k->place, w->address, (size_t)(equals - w->address));
		k->q.place = k->place;
		k->q.numbers = equals + 1;
	}
	k->q.value = w->value;
	if (!asked_words(&k->q, &word))
		return json_sentence(M_ASK_NO_WORD, word == k->place ? w->address : word);
	return NULL;
}

static uint64_t seconds(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	struct tm tm = { 0 };

	return text != NULL && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) != NULL ? (uint64_t)timegm(&tm) : 0;
}

static struct model_door *door_of(const struct model *m, const char *name)
{
	for (size_t i = 0; name != NULL && i < m->n_doors; i++)
		if (strcmp(m->doors[i].name, name) == 0)
			return &m->doors[i];
	return NULL;
}

void asking_doors(const struct compilation *c, const json_t *doors, uint64_t at)
{
	json_each(j, doors) {
		struct model_door *d = door_of(c->model, json_string_value(json_object_get(j, "door")));

		json_each(use, json_object_get(j, "uses")) {
			const char *by = json_string_value(json_object_get(use, "by"));

			if (d == NULL || !json_is_true(json_object_get(use, "open")) || seconds(use, "since") > at)
				continue;
			d->open_until = seconds(use, "until");
			d->opener = by != NULL ? arena_strndup(c->arena, by, strlen(by)) : NULL;
		}
	}
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void say_sentence(struct asking *k, enum message m, ...)
{
	struct sentence s = { 0 };
	va_list ap;

	va_start(ap, m);
	sentence_vsay(&s, m, ap);
	va_end(ap);
	json_array_append_new(k->said, sentence_json(&s));
}

/* Whether the conduit has every address that was asked about. */
static bool all_of(const struct asked_end *asked, const struct addr_range *have, size_t n)
{
	for (size_t i = 0; i < asked->n; i++) {
		bool inside = false;

		for (size_t k = 0; k < n && !inside; k++)
			inside = addr_in(&asked->ranges[i].lo, &have[k]) && addr_in(&asked->ranges[i].hi, &have[k]);
		if (!inside)
			return false;
	}
	return true;
}

static void line_say(struct asking *k, const struct asked_line *l)
{
	const struct model_conduit *d = l->conduit;
	char from[RANGES_TEXT], to[RANGES_TEXT], until[40];

	say_sentence(k, M_ASK_CONDUIT, d->name, conduit_file(k->c, d), d->at.line, l->service->name);
	if (l->allow != NULL)
		say_sentence(k, M_ASK_ROW, l->allow->at.line);
	if (!all_of(&k->q.from, d->sources, d->n_sources) || !all_of(&k->q.to, d->destinations, d->n_destinations)) {
		ranges_text(d->sources, d->n_sources, from);
		ranges_text(d->destinations, d->n_destinations, to);
		say_sentence(k, M_ASK_HOSTS, from, to);
	}
	if (l->observed)
		say_sentence(k, M_ASK_OBSERVED);
	if (d->owner[0] != '\0')
		say_sentence(k, M_ASK_OWNER, d->owner);
	if (d->door != NULL) {
		minute_text(d->door->open_until, until);
		say_sentence(k, M_ASK_DOOR_OPEN, d->door->name, until, d->door->opener != NULL ? d->door->opener : "");
	}
	if (l->end != 0 && (d->door == NULL || l->end < d->door->open_until)) {
		minute_text(l->end, until);
		say_sentence(k, M_ASK_UNTIL, until);
	}
	if (d->idle != 0)
		say_sentence(k, M_ASK_IDLE, duration_text(d->idle, until));
	if (d->session != 0)
		say_sentence(k, M_ASK_SESSION, duration_text(d->session, until));
}

/* Puts into *best the conduit that comes nearest to allowing what is asked. A conduit from another
 * zone, if it would allow this from there, counts as less near than any other. */
static void nearer(const struct asking *k, struct asked_line *best)
{
	const struct model *m = k->c->model;

	for (size_t i = 0; i < m->n_conduits; i++) {
		const struct model_conduit *d = &m->conduits[i];
		struct asked_line l = ask_conduit(m, d, &k->q);

		if (l.lack == ASKED_ENDS && !d->shadow && d->to == k->q.to.zone && k->q.from.zone != NULL) {
			struct asked other = k->q;

			other.from = (struct asked_end){ d->from, NULL, d->from->ranges, d->from->n_ranges };
			l = ask_conduit(m, d, &other);
			l.lack = l.lack == ASKED_NOTHING ? ASKED_ENDS : ASKED_NOTHING;
		} else if (l.lack == ASKED_ENDS) {
			continue;
		}
		if (l.lack != ASKED_NOTHING && (best->conduit == NULL || l.lack > best->lack))
			*best = l;
	}
}

/* Chooses the next pair of ends; false: there are no more. */
static bool next_ends(struct asking *k, size_t i)
{
	if (i >= k->n_ends[FROM] * k->n_ends[TO])
		return false;
	k->q.from = k->ends[FROM][i / k->n_ends[TO]];
	k->q.to = k->ends[TO][i % k->n_ends[TO]];
	return true;
}

/* The conduit that comes nearest, to tell what would be needed. */
static struct asked_line nearest(struct asking *k)
{
	struct asked_line best = { 0 };

	for (size_t i = 0; next_ends(k, i); i++)
		nearer(k, &best);
	(void)next_ends(k, 0);
	return best;
}

static void lack_say(struct asking *k, const struct asked_line *l)
{
	static const enum message messages[] = {
		[ASKED_SOURCE] = M_ASK_LACKS_SOURCE,   [ASKED_DESTINATION] = M_ASK_LACKS_DESTINATION,
		[ASKED_SERVICE] = M_ASK_LACKS_SERVICE, [ASKED_COMMAND] = M_ASK_LACKS_COMMAND,
		[ASKED_PLACE] = M_ASK_LACKS_ADDRESS,   [ASKED_VALUE] = M_ASK_LACKS_VALUE,
	};
	const struct asking_words *w = k->w;
	const char *const words[] = { w->from, w->to, w->service, w->command, w->address, w->value };
	const char *word;
	char until[40];

	if (l->lack == ASKED_ENDS) {
		say_sentence(k, M_ASK_LACKS_ENDS, l->conduit->from->name);
	} else if (l->lack == ASKED_DOOR) {
		say_sentence(k, M_ASK_LACKS_DOOR, l->conduit->door->name,
			     duration_text(l->conduit->door->at_most, until));
	} else if (l->lack < ASKED_OVER) {
		/* If no service was named, the conduit has none for addresses of these families. */
		word = words[l->lack - ASKED_SOURCE];
		say_sentence(k, messages[l->lack], word != NULL ? word : "IP");
	} else {
		minute_text(l->lack == ASKED_SHUT ? l->end : l->conduit->until, until);
		say_sentence(k, l->lack == ASKED_SHUT ? M_ASK_LACKS_HOURS : M_ASK_LACKS_UNTIL,
			     l->lack == ASKED_SHUT && l->end == 0 ? "" : until);
	}
}

static void no(struct asking *k, const struct asked_line *l)
{
	const struct model_conduit *d = l->conduit;
	const struct model_zone *from = k->q.from.zone, *to = k->q.to.zone;

	if (from == NULL || to == NULL)
		say_sentence(k, M_ASK_IN_NO_ZONE, from == NULL ? k->w->from : k->w->to);
	else if (d == NULL || l->lack == ASKED_ENDS)
		say_sentence(k, M_ASK_NO_CONDUIT, from->name, to->name);
	if (d == NULL)
		return;
	say_sentence(k, M_ASK_NEAREST, d->name, conduit_file(k->c, d),
		     l->allow != NULL ? l->allow->at.line : d->at.line);
	lack_say(k, l);
}

/* The names of the services that carry the port that was asked about. */
static json_t *services_of(const struct asking *k)
{
	const struct model *m = k->c->model;
	json_t *list = json_array();

	for (size_t i = 0; k->q.port != NULL && i < m->n_services; i++)
		if (asked_families(&m->services[i], k->q.port) != 0)
			json_array_append_new(list, json_text(m->services[i].name));
	return list;
}

static json_t *answer(struct asking *k)
{
	static const char *const lacks[] = {
#define LACK(id, word) [id] = (word),
#include "policy/space/lack.def"
	};
	const struct model *m = k->c->model;
	json_t *lines = json_array(), *one = json_null();
	struct asked_line l;

	for (size_t e = 0; next_ends(k, e); e++)
		for (size_t i = 0; i < m->n_conduits; i++) {
			l = ask_conduit(m, &m->conduits[i], &k->q);
			if (l.lack != ASKED_NOTHING)
				continue;
			json_array_append_new(lines, line_json(k->c, &l));
			line_say(k, &l);
		}
	if (json_array_size(lines) == 0) {
		l = nearest(k);
		no(k, &l);
		if (l.conduit != NULL) {
			one = line_json(k->c, &l);
			json_object_set_new(one, "lacks", json_string(lacks[l.lack]));
		}
	}
	return json_pack("{s:b,s:o,s:o,s:o,s:O,s:o}", "allowed", (int)(json_array_size(lines) > 0), "lines", lines,
			 "nearest", one, "services", services_of(k), "said", k->said, "at",
			 json_time(k->q.at * 1000000000ull));
}

/* Without one of its ends the question is that of `who-can` or of `reach`. A walk for which memory
 * ended is not whole, so nothing is read of it. */
static json_t *answer_chains(struct asking *k)
{
	bool who = k->w->from == NULL;
	json_t *list = json_array();
	struct walk *walks;
	size_t n;

	for (size_t e = 0; who && e < k->n_ends[TO]; e++) {
		k->q.to = k->ends[TO][e];
		n = walks_to(k->c->model, &k->q, k->c->arena, &walks);
		for (size_t i = 0; i < n && !arena_failed(k->c->arena); i++)
			json_array_append_new(list, walk_source_json(k->c, &walks[i]));
	}
	n = who ? 0 : walks_from(k->c->model, k->ends[FROM], k->n_ends[FROM], k->q.at, k->c->arena, &walks);
	for (size_t i = 0; i < n && !arena_failed(k->c->arena); i++)
		json_array_append_new(list, walk_reached_json(k->c, &walks[i], k->q.at));
	return json_pack("{s:b,s:o,s:o}", "allowed", (int)(json_array_size(list) > 0), who ? "sources" : "reached",
			 list, "at", json_time(k->q.at * 1000000000ull));
}

json_t *asking_answer(const struct compilation *c, const struct asking_words *w, bool *ret_meant)
{
	struct asking k = { .c = c, .w = w, .q = { .at = w->at } };
	json_t *wrong = question(&k), *ret;

	*ret_meant = wrong == NULL;
	if (wrong != NULL)
		return json_pack("{s:o}", "error", wrong);
	k.said = json_array();
	ret = w->from != NULL && w->to != NULL ? answer(&k) : answer_chains(&k);
	json_decref(k.said);
	/* Chains that were not found for want of memory must not read as "nobody can". */
	if (arena_failed(c->arena)) {
		json_decref(ret);
		*ret_meant = false;
		return json_pack("{s:o}", "error", json_sentence(M_CLI_NO_MEMORY));
	}
	return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes that are made from the status alone.
 *
 * /api/v1/state: the status with its meaning in both languages: the overall sentence, faults,
 * refusals. The pages take all their words from here, so they say the same as `sekisho status`.
 *
 * /metrics: the status for Prometheus: text exposition format 0.0.4, with a family of samples for
 * each row of metrics.def. All values come from the status; a value that is missing or null has no
 * sample.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/version.h"
#include "appliance/wire/hours.h"
#include "appliance/wire/reason.h"
#include "mgmt/state/alarm_lines.h"
#include "mgmt/state/alarms.h"
#include "mgmt/state/faults.h"
#include "mgmt/state/journal.h"
#include "mgmt/state/stand.h"
#include "mgmt/web/api/routes.h"

/* ---- what the status means ------------------------------------------------------------------- */

/* Takes over the list; adds a sentence to each of its reasons. */
static json_t *said_reasons(json_t *list, enum lang l)
{
	json_each(one, list)
		json_object_set_new(one, "text",
				    json_text(reason_text(reason_by_word(js(one, "reason")), lang_name(l))));
	return list;
}

/* Why no record can be written at present; JSON null when records are written. */
static json_t *trouble(const json_t *status, enum lang l)
{
	const char *why = js(ja(status, "journal"), "trouble");
	char *text = *why != '\0' ? lost_text(l, why) : NULL;
	json_t *ret = json_text(text);

	free(text);
	return ret;
}

static json_t *in_words(const json_t *status, const json_t *alarms, enum lang l, const char **ret_stand)
{
	json_t *faults = faults_find(status, l);
	enum stand stand = stand_of(status, faults, alarms);
	char *sentence = stand_sentence(status, faults, alarms, stand, l), clock[CLOCK_WHY];
	bool listed = stand_lists(faults, stand);
	json_t *words;

	clock_why(ja(status, "clock"), l, clock);
	*ret_stand = stand_word(stand);
	words = json_pack("{s:o,s:o,s:b,s:o,s:o,s:o,s:o}", "sentence", json_text(sentence), "faults", faults, "listed",
			  (int)listed, "trouble", trouble(status, l), "clock", json_text(clock), "refused",
			  said_reasons(refused_list(status, false), l), "unjudged",
			  said_reasons(refused_list(status, true), l));
	free(sentence);
	return words;
}

/* Takes the alarms at the time `wall_ns`, and adds "seen" to each. */
static void seen_note(struct seen *s, json_t *alarms, uint64_t wall_ns)
{
	json_t *still = json_object();

	json_each(alarm, alarms) {
		const char *key = json_string_value(json_object_get(alarm, "key"));
		json_t *moment = json_object_get(s->moments, key);

		if (moment != NULL)
			json_incref(moment);
		else
			moment = s->moments != NULL ? json_time(wall_ns) : json_null();
		(void)json_object_set(alarm, "seen", moment);
		(void)json_object_set_new(still, key, moment);
	}
	json_decref(s->moments);
	s->moments = still;
}

static void put_headline(json_t *words, const json_t *lines, enum lang l)
{
	char *text = alarm_headline(lines, l);

	json_object_set_new(words, "headline", json_text(text));
	free(text);
}

static json_t *state(const struct asked *a, json_t *status)
{
	json_t *alarms, *lines, *en, *japanese;
	const char *stand;

	people_zone(js(ja(status, "site"), "time_zone"));
	alarms = alarms_find(status);
	en = in_words(status, alarms, LANG_EN, &stand);
	japanese = in_words(status, alarms, LANG_JA, &stand);
	lines = alarm_lines(alarms);
	put_headline(en, lines, LANG_EN);
	put_headline(japanese, lines, LANG_JA);
	seen_note(a->seen, alarms, a->wall_ns);
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:O}", "version", SEKISHO_VERSION, "stand", stand, "en", en, "ja",
			 japanese, "alarms", alarms, "lines", lines, "status", status);
}

const struct route_form form_state = { "application/json", 0, state, NULL };

/* ---- numbers for Prometheus ------------------------------------------------------------------ */

#define WORD_MAX 40 /* bytes of a key or label in a row, NUL included */

enum how { NUMBER, MILLISECONDS, TRUTH, MOMENT, LENGTH, NOTHING, RUNNING, UP, MAINS, LOW, FORCED, USABLE };

/* Words that count as 1; the sample tells whether the value is one of them. */
static const char *const good_words[] = {
	[RUNNING] = "running", [UP] = "up", [MAINS] = "mains", [LOW] = "low", [FORCED] = "forced", [USABLE] = "good",
};

struct metric {
	const char *name, *type, *where, *value;
	enum how how;
	const char *labels, *en, *ja;
};

static const struct metric metrics[] = {
#define METRIC(name, type, where, value, how, labels, en, ja)                                                          \
	{ "sekisho_" #name, #type, where, value, how, labels, en, ja },
#include "mgmt/web/api/metrics.def"
#undef METRIC
};

/* An element with samples, the element around it, and its key in an object (NULL: it is in a
 * list). */
struct element {
	json_t *here, *around;
	const char *key;
};

/* The value at a path of keys: the first `n` bytes of `path`. NULL when it is missing. */
static json_t *under(json_t *from, const char *path, size_t n)
{
	while (n > 0 && from != NULL) {
		const char *dot = memchr(path, '.', n);
		size_t length = dot != NULL ? (size_t)(dot - path) : n;
		char key[WORD_MAX];

		if (length >= sizeof(key))
			return NULL;
		memcpy(key, path, length);
		key[length] = '\0';
		from = json_object_get(from, key);
		path += dot != NULL ? length + 1 : length;
		n -= dot != NULL ? length + 1 : length;
	}
	return from;
}

/* False: not of the row's type, so there is no sample. */
static bool number_of(const json_t *v, enum how how, double *ret)
{
	struct tm at = { 0 };
	const char *end;

	switch (how) {
	case NUMBER:
	case MILLISECONDS:
		*ret = json_number_value(v) / (how == MILLISECONDS ? 1000 : 1);
		return json_is_number(v);
	case TRUTH:
		*ret = json_is_true(v);
		return json_is_boolean(v);
	case MOMENT:
		end = json_is_string(v) ? strptime(json_string_value(v), "%Y-%m-%dT%H:%M:%S", &at) : NULL;
		*ret = end != NULL ? (double)timegm(&at) : 0;
		return end != NULL;
	case LENGTH:
		*ret = (double)json_array_size(v);
		return json_is_array(v);
	case NOTHING:
		*ret = json_is_null(v);
		return json_is_null(v) || json_is_string(v);
	case USABLE:
		*ret = json_is_string(v) && strcmp(json_string_value(v), good_words[how]) == 0;
		/* An unknown value has no sample. */
		return json_is_string(v) && strcmp(json_string_value(v), "unknown") != 0 &&
		       strcmp(json_string_value(v), "unjudged") != 0;
	case RUNNING:
	case UP:
	case MAINS:
	case LOW:
	case FORCED:
		*ret = json_is_string(v) && strcmp(json_string_value(v), good_words[how]) == 0;
		return json_is_string(v);
	}
	return false;
}

static void put_escaped(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			fputc(*text, out);
	}
}

static void put_label(FILE *out, const struct element *at, const char *key, size_t n)
{
	bool around = n > 0 && *key == '^';
	json_t *v = under(around ? at->around : at->here, key + around, n - around);

	if (n == 1 && *key == '@')
		put_escaped(out, at->key != NULL ? at->key : "");
	else if (json_is_integer(v))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_boolean(v))
		fputs(json_is_true(v) ? "true" : "false", out);
	else if (json_is_string(v))
		put_escaped(out, json_string_value(v));
}

static void put_labels(FILE *out, const struct element *at, const char *labels)
{
	const char *next = labels;
	char sign = '{';

	while (*next != '\0') {
		size_t name = strcspn(next, "="), key = strcspn(next + name + 1, " ");

		fprintf(out, "%c%.*s=\"", sign, (int)name, next);
		put_label(out, at, next + name + 1, key);
		fputc('"', out);
		next += name + 1 + key;
		next += strspn(next, " ");
		sign = ',';
	}
	if (sign == ',')
		fputc('}', out);
}

/* A family's head is written before its first sample, so a family without samples does not
 * appear. */
static void sample(FILE *out, const struct metric *m, const struct element *at, bool *headed)
{
	double number;

	if (!number_of(under(at->here, m->value, strlen(m->value)), m->how, &number))
		return;
	if (!*headed)
		fprintf(out, "# HELP %s %s (%s)\n# TYPE %s %s\n", m->name, m->en, m->ja, m->name, m->type);
	*headed = true;
	fputs(m->name, out);
	put_labels(out, at, m->labels);
	fprintf(out, " %.17g\n", number);
}

/* All elements of the list or object at the path in `from`; for "a/b" each b of each a. */
static void samples(FILE *out, const struct metric *m, json_t *from, const char *where, bool *headed)
{
	size_t n = strcspn(where, "/");
	json_t *all = under(from, where, n), *one;
	bool object = json_is_object(all);
	void *iterator = object ? json_object_iter(all) : NULL;

	for (size_t i = 0; object ? iterator != NULL : i < json_array_size(all); i++) {
		one = object ? json_object_iter_value(iterator) : json_array_get(all, i);
		if (where[n] == '/')
			samples(out, m, one, where + n + 1, headed);
		else
			sample(out, m, &(struct element){ one, from, object ? json_object_iter_key(iterator) : NULL },
			       headed);
		iterator = object ? json_object_iter_next(all, iterator) : NULL;
	}
}

/* Inspection times by worker and part: the only family that is a histogram (docs/json.md). */
static void histogram(FILE *out, const json_t *status)
{
	static const char name[] = "sekisho_inspection_seconds";
	const json_t *workers = json_object_get(status, "workers");
	bool headed = false;

	json_each(w, workers) {
		json_each(x, json_object_get(w, "latency")) {
			const char *kind = json_string_value(json_object_get(x, "kind"));
			const char *criticality = json_string_value(json_object_get(x, "criticality"));
			char labels[120];

			if (kind == NULL || criticality == NULL)
				continue;
			if (!headed)
				fprintf(out,
					"# HELP %s Time from when a worker began to read a batch of packets until it "
					"had given their verdicts "
					"(検査部が一群のパケットの読み取りを始めてから判定を伝えるまでの時間)\n# TYPE "
					"%s histogram\n",
					name, name);
			headed = true;
			snprintf(labels, sizeof(labels),
				 "worker=\"%" JSON_INTEGER_FORMAT "\",kind=\"%.20s\",criticality=\"%.20s\"",
				 json_integer_value(json_object_get(w, "index")), kind, criticality);
			json_each(b, json_object_get(x, "within"))
				fprintf(out, "%s_bucket{%s,le=\"%.9g\"} %" JSON_INTEGER_FORMAT "\n", name, labels,
					(double)json_integer_value(json_object_get(b, "us")) / 1e6,
					json_integer_value(json_object_get(b, "packets")));
			fprintf(out,
				"%s_bucket{%s,le=\"+Inf\"} %" JSON_INTEGER_FORMAT
				"\n%s_sum{%s} %.17g\n%s_count{%s} %" JSON_INTEGER_FORMAT "\n",
				name, labels, json_integer_value(json_object_get(x, "packets")), name, labels,
				(double)json_integer_value(json_object_get(x, "sum_us")) / 1e6, name, labels,
				json_integer_value(json_object_get(x, "packets")));
		}
	}
}

static char *metrics_text(const struct asked *a, json_t *status)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	bool failed;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		bool headed = false;

		if (*metrics[i].where == '\0')
			sample(out, &metrics[i], &(struct element){ .here = status }, &headed);
		else
			samples(out, &metrics[i], status, metrics[i].where, &headed);
	}
	histogram(out, status);
	failed = ferror(out) != 0;
	/* The stream is closed even after a failure, because its text must not be freed before. */
	if (fclose(out) == 0 && !failed)
		return text;
	free(text);
	return NULL;
}

const struct route_form form_metrics = { "text/plain; version=0.0.4; charset=utf-8", 0, NULL, metrics_text };

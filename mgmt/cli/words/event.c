/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/render.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/event_words.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/words/event.h"

static char *finish(FILE *to, char **text)
{
	char *safe;

	if (fclose(to) != 0) {
		free(*text);
		return NULL;
	}
	safe = text_safe(*text);
	free(*text);
	return safe;
}

/* Two spaces and the word, padded to the widest word of its kind, so that columns align. */
static void column(FILE *to, const char *text, size_t widest)
{
	size_t cells = text_cells(text);

	fprintf(to, "  %s%*s", text, cells < widest ? (int)(widest - cells) : 0, "");
}

/* cells; a rare longer name sticks out instead of widening the column for all */
#define KIND_CELLS 10u

static size_t widest_kind(const char *lang)
{
	size_t widest = 0;

	for (unsigned k = EVENT_NONE + 1; k < EVENT_KIND_COUNT; k++) {
		size_t cells = text_cells(event_kind_text(event_kind_word(k), lang));

		widest = cells > widest && cells <= KIND_CELLS ? cells : widest;
	}
	return widest;
}

static size_t widest_verdict(const char *lang)
{
	size_t widest = 0;

	for (unsigned v = 0; v < EVENT_VERDICT_COUNT; v++) {
		size_t cells = text_cells(event_verdict_text(event_verdict_word(v), lang));

		widest = cells > widest ? cells : widest;
	}
	return widest;
}

static void who_text(FILE *to, const json_t *e, enum lang l)
{
	bool back = js_is(e, "direction", "s2c");
	char end[EVENT_END_TEXT];

	if (json_object_get(e, "client") == NULL)
		return;
	event_end(e, "client", end);
	fprintf(to, "  %s", end);
	if (json_object_get(e, "server") != NULL) {
		event_end(e, "server", end);
		fprintf(to, " %s %s", back ? "<-" : "->", end);
	}
	fputc(' ', to);
	event_transport(to, e, l);
}

/* The further effects of a policy, after the first one. */
static void means_text(FILE *to, const json_t *e, enum lang l)
{
	static const char *const further[] = { "before", "after" };

	for (size_t i = 0; i < 2; i++)
		if (*js(e, further[i]) != '\0') {
			fputs("; ", to);
			refusal_print(to, l, js(e, further[i]));
		}
	if (ju(e, "more") > 0) {
		fputs("; ", to);
		message_print(to, l, M_MEANS_OTHERS, (size_t)ju(e, "more"));
	}
}

/* The old and the new value; only one for something that came or went. */
static void changed_text(FILE *to, const json_t *e, enum lang l)
{
	const char *before = js(e, "before"), *after = js(e, "after");

	if (js_is(e, "kind", "policy") && js_is(e, "code", "applied")) {
		means_text(to, e, l);
		return;
	}
	if (*before != '\0' && *after != '\0')
		fprintf(to, "  %s -> %s", before, after);
	else if (*before != '\0')
		message_print(to, l, M_EV_BEFORE, before);
	else if (*after != '\0')
		message_print(to, l, M_EV_AFTER, after);
}

static void box_text(FILE *to, const json_t *e, enum lang l)
{
	const char *kind = js(e, "kind"), *code = js(e, "code");

	if (json_object_get(e, "role") != NULL) {
		fputs("  ", to);
		event_process(to, e);
	}
	if (*code != '\0')
		fprintf(to, "  %s", event_code_text(kind, code, lang_name(l)));
	if (strcmp(kind, "policy") == 0 && ju(e, "value") > 0)
		message_print(to, l, M_EV_GENERATION, ju(e, "value"));
	if (*js(e, "by") != '\0')
		message_print(to, l, strcmp(kind, "drift") == 0 ? M_EV_CHANGED_BY : M_EV_BY, js(e, "by"));
	if (*js(e, "object") != '\0') {
		fputs("  ", to);
		event_object(to, e, l);
	}
	if (*js(e, "person") != '\0')
		fprintf(to, ", %s", js(e, "person"));
	if (*js(e, "web_client") != '\0')
		fprintf(to, ", %s", js(e, "web_client"));
	changed_text(to, e, l);
	if (strcmp(kind, "drift") == 0 && ju(e, "value") > 0) {
		message_print(to, l, M_EV_GAP);
		event_gap(to, e, l);
		message_print(to, l, M_EV_CLOSE);
	}
}

/* The reason, with the numbers that were wrong. */
static void reason_part(FILE *to, const json_t *e, enum lang l)
{
	if (*js(e, "reason") == '\0' || js_is(e, "reason", "none"))
		return;
	fprintf(to, "  %s", render_reason(js(e, "reason"), l));
	if (json_object_get(e, "limit") == NULL)
		return;
	fputs(": ", to);
	event_limit(to, e, l);
}

/* Some records of the journal about itself have the kind "lost" by their form, although nothing is
 * lost. */
static const char *kind_text(const json_t *e, enum lang l)
{
	bool own = js_is(e, "kind", "lost");

	if (own && js_is(e, "code", "checkpoint"))
		return message_format(M_EV_SIGNED, l);
	if (own && js_is(e, "code", "preserved"))
		return message_format(M_EV_SEALED, l);
	return event_kind_text(js(e, "kind"), lang_name(l));
}

char *event_line(const json_t *e, enum lang l)
{
	const char *lang = lang_name(l);
	char *text = NULL, when[RENDER_TEXT];
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	render_time(js(e, "time"), when);
	fprintf(to, "%s  %6llu", when, ju(e, "seq"));
	column(to, kind_text(e, l), widest_kind(lang));
	if (json_object_get(e, "verdict") != NULL)
		column(to, event_verdict_text(js(e, "verdict"), lang), widest_verdict(lang));
	who_text(to, e, l);
	event_command(to, e, l);
	box_text(to, e, l);
	reason_part(to, e, l);
	if (json_object_get(e, "conduit") != NULL)
		fprintf(to, "  [%s %s:%llu]", js(e, "conduit"), js(e, "file"), ju(e, "line"));
	if (ju(e, "count") > 1)
		fprintf(to, "  x%llu", ju(e, "count"));
	if (ju(e, "records") > 1)
		message_print(to, l, M_EV_SUM, ju(e, "records"));
	if (*js(e, "said_time") != '\0') {
		render_time(js(e, "said_time"), when);
		message_print(to, l, M_EV_SAID_TIME, when);
	}
	return finish(to, &text);
}

char *event_told(const json_t *e, enum lang l)
{
	char *text = event_sentence(e, l), *safe = text != NULL ? text_safe(text) : NULL;

	free(text);
	return safe;
}

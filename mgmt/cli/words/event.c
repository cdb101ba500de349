/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/event.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/event_words.h"
#include "mgmt/cli/screen/width.h"
#include "mgmt/cli/words/event_parts.h"

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

/* ---- the line ----------------------------------------------------------------------------------------------------- */

/* Two spaces and the word, in as many cells as the widest of its kind takes, so that columns stand under each other. */
static void column(FILE *to, const char *text, size_t widest)
{
	size_t cells = text_cells(text);

	fprintf(to, "  %s%*s", text, cells < widest ? (int)(widest - cells) : 0, "");
}

/* The rare long name may stand out of its column rather than push all others to the right. */
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
	bool back = strcmp(js(e, "direction"), "s2c") == 0;
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

/* What was there and what is; of what came or went, the one that there is. */
static void changed_text(FILE *to, const json_t *e, enum lang l)
{
	const char *before = js(e, "before"), *after = js(e, "after");

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
	changed_text(to, e, l);
	if (strcmp(kind, "drift") == 0 && ju(e, "value") > 0) {
		message_print(to, l, M_EV_GAP);
		event_gap(to, e, l);
		message_print(to, l, M_EV_CLOSE);
	}
}

/* The reason, and in numbers what was wrong. */
static void reason_part(FILE *to, const json_t *e, enum lang l)
{
	if (*js(e, "reason") == '\0' || strcmp(js(e, "reason"), "none") == 0)
		return;
	fprintf(to, "  %s", render_reason(js(e, "reason"), l));
	if (json_object_get(e, "limit") == NULL)
		return;
	fputs(": ", to);
	event_limit(to, e, l);
}

/* Of the kind "lost" by its form, since it is the journal's own word about its records; but nothing is lost. */
static bool is_signature(const json_t *e)
{
	return strcmp(js(e, "kind"), "lost") == 0 && strcmp(js(e, "code"), "checkpoint") == 0;
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
	column(to, is_signature(e) ? message_format(M_EV_SIGNED, l) : event_kind_text(js(e, "kind"), lang),
	       widest_kind(lang));
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

/* ---- the sentence ------------------------------------------------------------------------------------------------- */

struct telling {
	const json_t *e;
	enum lang lang;
};

static char *written(const struct telling *t, void (*how)(FILE *to, const json_t *e, enum lang l))
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	how(to, t->e, t->lang);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

/* What is said to have been tried: the command if there is one, else the protocol, else the transport. */
static void what_text(FILE *to, const struct telling *t)
{
	bool command = json_object_get(t->e, "function") != NULL, named = command || *js(t->e, "protocol") != '\0';
	char *text = written(t, named ? event_command : event_transport);
	const char *word = text == NULL || *text == '\0' ? "IP" : text + (*text == ' ');

	if (strcmp(js(t->e, "direction"), "s2c") == 0)
		fputs(word, to); /* in brackets, behind the answer */
	else
		message_print(to, t->lang, command ? M_EXPLAIN_COMMAND : M_EXPLAIN_PROTOCOL, word);
	free(text);
}

static void end_text(FILE *to, const struct telling *t, bool sender)
{
	bool back = strcmp(js(t->e, "direction"), "s2c") == 0;
	char end[EVENT_END_TEXT];

	event_end(t->e, sender != back ? "client" : "server", end);
	fputs(end, to);
}

/* "allowed" explains nothing that the sentence has not said. */
static void reason_text_of(FILE *to, const struct telling *t)
{
	const char *reason = js(t->e, "reason");

	if (*reason != '\0' && strcmp(reason, "none") != 0 && strcmp(reason, "allowed") != 0)
		fputs(render_reason(reason, t->lang), to);
}

/* Which one a policy's event is about, or `under` which one the event was made. */
static void generation_text(FILE *to, const struct telling *t, bool under)
{
	bool about = !under && strcmp(js(t->e, "kind"), "policy") == 0;
	unsigned long long n = about ? ju(t->e, "value") : ju(json_object_get(t->e, "generation"), "number");

	if (n > 0)
		fprintf(to, "%llu", n);
}

static void time_text(FILE *to, const struct telling *t)
{
	char when[RENDER_TEXT];

	render_time(js(t->e, "time"), when);
	fputs(when, to);
}

/* What one place of a sentence holds; writes nothing when that is unknown. */
static void place(FILE *to, const struct telling *t, const char *name)
{
	const json_t *value = json_object_get(t->e, name);

	if (strcmp(name, "time") == 0)
		time_text(to, t);
	else if (strcmp(name, "from") == 0 || strcmp(name, "to") == 0)
		end_text(to, t, strcmp(name, "from") == 0);
	else if (strcmp(name, "client") == 0)
		end_text(to, t, true);
	else if (strcmp(name, "what") == 0)
		what_text(to, t);
	else if (strcmp(name, "reason") == 0)
		reason_text_of(to, t);
	else if (strcmp(name, "limit") == 0)
		event_limit(to, t->e, t->lang);
	else if (strcmp(name, "generation") == 0 || strcmp(name, "under") == 0)
		generation_text(to, t, strcmp(name, "under") == 0);
	else if (strcmp(name, "process") == 0)
		event_process(to, t->e);
	else if (strcmp(name, "gap") == 0)
		event_gap(to, t->e, t->lang);
	else if (strcmp(name, "object") == 0)
		event_object(to, t->e, t->lang);
	else if (strcmp(name, "verdict") == 0)
		fputs(event_verdict_text(js(t->e, name), lang_name(t->lang)), to);
	else if (json_is_integer(value))
		fprintf(to, "%llu", ju(t->e, name));
	else
		fputs(js(t->e, name), to);
}

/* Where `what` stands in the text outside of any brackets; `end` when nowhere. */
static const char *outside(const char *text, const char *end, char what)
{
	unsigned depth = 0;

	for (; text < end; text++) {
		if (*text == what && depth == 0)
			return text;
		depth += *text == '[';
		depth -= *text == ']' && depth > 0;
	}
	return end;
}

static bool tell(FILE *to, const struct telling *t, const char *text, const char *end);

/* "[part|else]": the part when all that it takes is known. */
static void tell_part(FILE *to, const struct telling *t, const char *text, const char *end)
{
	const char *other = outside(text, end, '|');
	char *part = NULL;
	size_t size;
	FILE *draft = open_memstream(&part, &size);
	bool known;

	if (draft == NULL)
		return;
	known = tell(draft, t, text, other);
	if (fclose(draft) == 0 && known)
		fputs(part, to);
	else if (other < end)
		tell(to, t, other + 1, end);
	free(part);
}

/* Writes the text with its places filled; returns whether all of them, those of optional parts aside, were known. */
static bool tell(FILE *to, const struct telling *t, const char *text, const char *end)
{
	bool known = true;

	while (text < end) {
		const char *close;

		if (*text == '[') {
			close = outside(text + 1, end, ']');
			tell_part(to, t, text + 1, close);
		} else if (*text == '{') {
			char name[24];
			long at = ftell(to);

			close = outside(text + 1, end, '}');
			snprintf(name, sizeof(name), "%.*s", (int)(close - text - 1), text + 1);
			place(to, t, name);
			known &= ftell(to) != at;
		} else {
			fputc(*text, to);
			close = text;
		}
		text = close + 1;
	}
	return known;
}

static void tell_all(FILE *to, const struct telling *t, const char *sentence)
{
	tell(to, t, sentence, sentence + strlen(sentence));
}

char *event_sentence(const json_t *e, enum lang l)
{
	const struct telling t = { e, l };
	const char *lang = lang_name(l), *sentence;
	bool traffic = *js(e, "client") != '\0' && *js(e, "server") != '\0';
	char *text = NULL, when[RENDER_TEXT];
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	sentence = traffic ? event_traffic_sentence(js(e, "verdict"), strcmp(js(e, "direction"), "s2c") == 0, lang)
			   : event_box_sentence(js(e, "kind"), js(e, "code"), lang);
	tell_all(to, &t, sentence != NULL ? sentence : message_format(M_EXPLAIN_BARE, l));
	if (traffic)
		tell_all(to, &t, message_format(M_EXPLAIN_BASIS, l));
	if (traffic && ju(e, "count") > 1)
		message_print(to, l, M_EXPLAIN_COUNT, ju(e, "count"));
	if (ju(e, "sessions") > 0)
		message_print(to, l, M_EXPLAIN_SESSIONS, ju(e, "sessions"), (ju(e, "seconds") + 59) / 60);
	if (*js(e, "said_time") != '\0') {
		render_time(js(e, "said_time"), when);
		message_print(to, l, M_EXPLAIN_SAID_TIME, when);
	}
	return finish(to, &text);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/sentence.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/attack.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/reason.h"
#include "mgmt/state/weakness.h"
#include "mgmt/words/parts.h"
#include "mgmt/words/refusal.h"

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

/* What was tried: the command if there is one, else the protocol, else the transport. */
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

/* "allowed" adds nothing to the sentence. */
static void reason_text_of(FILE *to, const struct telling *t)
{
	const char *reason = js(t->e, "reason");

	if (*reason == '\0' || strcmp(reason, "none") == 0 || strcmp(reason, "allowed") == 0)
		return;
	fputs(reason_by_word(reason) == REASON_COUNT ? reason : reason_text(reason_by_word(reason), lang_name(t->lang)),
	      to);
}

/* The generation that a policy's event is about, or with `under` the one in force at the time. */
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

/* The weakness of the TLS that was seen. */
static void tls_weak_text(FILE *to, const struct telling *t)
{
	char text[WEAKNESS_TEXT];

	weakness_text(ja(ja(t->e, "tls"), "weak"), t->lang, text);
	fputs(text, to);
}

/* Writes the value of one place; nothing when it is unknown. */
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
	else if (strcmp(js(t->e, "kind"), "policy") == 0 && (strcmp(name, "before") == 0 || strcmp(name, "after") == 0))
		refusal_print(to, t->lang, js(t->e, name));
	else if (strcmp(name, "attack") == 0)
		fputs(attack_text(attack_by_word(js(t->e, name)), lang_name(t->lang)), to);
	else if (strcmp(name, "attack_step") == 0)
		fputs(attack_step(attack_by_word(js(t->e, "attack")), lang_name(t->lang)), to);
	else if (strcmp(name, "tls_weak") == 0)
		tls_weak_text(to, t);
	else if (strncmp(name, "tls_", 4) == 0)
		fputs(js(json_object_get(t->e, "tls"), name + 4), to);
	else if (strcmp(name, "verdict") == 0)
		fputs(event_verdict_text(js(t->e, name), lang_name(t->lang)), to);
	else if (json_is_integer(value))
		fprintf(to, "%llu", ju(t->e, name));
	else
		fputs(js(t->e, name), to);
}

/* The position of `what` in the text outside of brackets; `end` when there is none. */
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

/* "[part|else]": the part, if all its values are known. */
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

/* Writes the text with its places filled; returns whether all values outside of optional parts were
 * known. */
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
	/* Kinds of traffic with sentences of their own. */
	bool passed = strcmp(js(e, "kind"), "passed") == 0 || strcmp(js(e, "kind"), "weak") == 0 ||
		      strcmp(js(e, "kind"), "undeclared") == 0;
	bool traffic = *js(e, "client") != '\0' && *js(e, "server") != '\0' && !(passed && ju(e, "records") > 1) &&
		       strcmp(js(e, "kind"), "attack") != 0;
	char *text = NULL, when[RENDER_TEXT];
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	sentence = traffic && !passed
			   ? event_traffic_sentence(js(e, "verdict"), strcmp(js(e, "direction"), "s2c") == 0, lang)
			   : event_box_sentence(js(e, "kind"), js(e, "code"), lang);
	tell_all(to, &t, sentence != NULL ? sentence : message_format(M_EXPLAIN_BARE, l));
	if (traffic)
		tell_all(to, &t, message_format(M_EXPLAIN_BASIS, l));
	if (traffic && ju(e, "count") > 1)
		message_print(to, l, M_EXPLAIN_COUNT, ju(e, "count"));
	if (ju(e, "sessions") > 0)
		message_print(to, l, M_EXPLAIN_SESSIONS, ju(e, "sessions"), (ju(e, "seconds") + 59) / 60);
	if (json_is_true(json_object_get(e, "in_clear")) && strcmp(js(e, "kind"), "flow") == 0)
		message_print(to, l, M_EXPLAIN_IN_CLEAR);
	if (*js(e, "said_time") != '\0') {
		render_time(js(e, "said_time"), when);
		message_print(to, l, M_EXPLAIN_SAID_TIME, when);
	}
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/event.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/attack.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/reason.h"
#include "mgmt/state/journal.h"
#include "mgmt/words/command.h"

/* ---- why an order was refused ---------------------------------------------------------------- */

/* The first match is used, so texts that match much come last. */
static const enum message sentences[] = {
	M_OP_COMPILE_DIED,
	M_OP_COMPILE_KILLED,
	M_OP_COMPILE_ABSENT,
	M_OP_COMPILE_LATE,
	M_OP_COMPILE_BAD,
	M_COMPILE_NO_MEMORY,
	M_COMPILE_BUNDLE,
	M_OP_TABLE_REFUSED,
	M_OP_TABLE_LATE,
	M_OP_KERNEL_REFUSED,
	M_OP_KERNEL_REFUSED_NO_LINE,
	M_OP_ENFORCE_GONE,
	M_OP_ENFORCE_GONE_BEFORE,
	M_OP_ENFORCE_LATE,
	M_CA_ABSENT,
	M_CA_LINK,
	M_CA_CLOSED,
	M_CA_FOLDER,
	M_CA_NONE,
	M_CA_UNREAD,
	M_OP_TAKES_SESSIONS,
	M_OP_TAKES_UNREAD,
	M_OP_DEVICE_MISSING,
	M_OP_DEVICE_MISSING_TRIAL,
	M_OP_BOX_FAILED,
	M_OP_BOX_NOT_BACK,
	M_OP_PREPARE_FAILED,
	M_MEANS_PACKETS_COME,
	M_MEANS_PACKETS_GONE,
	M_MEANS_COMMANDS_COME,
	M_MEANS_COMMANDS_GONE,
	M_MEANS_TREATED,
	M_MEANS_SAME,
	M_COMPARE_CHANGED,
	M_COMPARE_SET,
	M_COMPARE_UNSET,
	M_COMPARE_COME,
	M_COMPARE_GONE,
	M_COMPARE_ADDED,
	M_COMPARE_REMOVED,
};

#define PLACES 6u

struct filled {
	const char *p[PLACES];
	size_t n[PLACES];
};

/* The argument of a conversion: `next`, unless it gives a number itself (%2$s). */
static const char *conversion(const char *f, unsigned next, unsigned *ret)
{
	size_t digits = strspn(++f, "0123456789");

	*ret = next;
	if (digits == 1 && f[digits] == '$') {
		*ret = (unsigned)(*f - '1');
		f += 2;
	}
	while (*f == 'l')
		f++;
	return f + (*f != '\0');
}

/* Whether `text` was made by the format, and which texts are at its places. A place ends where the
 * following words first occur, the last one at the end. */
static bool format_fits(const char *text, const char *f, struct filled *ret)
{
	const char *end = text + strlen(text);
	unsigned next = 0;

	while (*f != '\0') {
		const char *behind;
		unsigned place;
		size_t words;

		if (*f != '%') {
			if (*f++ != *text++)
				return false;
			continue;
		}
		f = conversion(f, next++, &place);
		words = strcspn(f, "%");
		if (place >= PLACES || (size_t)(end - text) < words || (words == 0 && *f != '\0'))
			return false;
		behind = f[words] == '\0' ? end - words : memmem(text, (size_t)(end - text), f, words);
		if (behind == NULL || memcmp(behind, f, words) != 0)
			return false;
		ret->p[place] = text;
		ret->n[place] = (size_t)(behind - text);
		text = behind;
	}
	return text == end;
}

static void fill_format(FILE *to, const char *f, const struct filled *with)
{
	unsigned next = 0, place;

	while (*f != '\0') {
		if (*f != '%') {
			fputc(*f++, to);
			continue;
		}
		f = conversion(f, next++, &place);
		if (place < PLACES && with->p[place] != NULL)
			fprintf(to, "%.*s", (int)with->n[place], with->p[place]);
	}
}

void refusal_print(FILE *to, enum lang l, const char *text)
{
	for (size_t i = 0; l != LANG_EN && i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		struct filled f = { 0 };

		if (!format_fits(text, message_format(sentences[i], LANG_EN), &f))
			continue;
		fill_format(to, message_format(sentences[i], l), &f);
		return;
	}
	fputs(text, to);
}

/* ---- changes from outside -------------------------------------------------------------------- */

static const struct {
	const char *en, *ja;
} deeds[] = {
#define DEED(type, en, ja) { en, ja },
#include "appliance/wire/deed.def"
};

static const enum message differences[] = { M_DIFF_EXTRA, M_DIFF_MISSING, M_DIFF_CHANGED, M_DIFF_FOREIGN };

/* Whether `text` begins with that phrase and the phrase ends there. */
static bool begins(const char *text, const char *phrase)
{
	size_t n = strlen(phrase);

	return strncmp(text, phrase, n) == 0 && strchr(":, ", text[n]) != NULL;
}

/* The phrase at the beginning of `text` in that language, and its length there; NULL: unknown. */
static const char *phrase(const char *text, enum lang l, size_t *ret_n)
{
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (begins(text, deeds[i].en)) {
			*ret_n = strlen(deeds[i].en);
			return l == LANG_JA ? deeds[i].ja : deeds[i].en;
		}
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
		if (begins(text, message_format(differences[i], LANG_EN))) {
			*ret_n = strlen(message_format(differences[i], LANG_EN));
			return message_format(differences[i], l);
		}
	return NULL;
}

/* Parses " and 3 more": how many things were left out. Returns the text behind it; NULL: something
 * else. */
static const char *left_out(const char *text, unsigned long *ret)
{
	static const char before[] = " and ", after[] = " more";
	char *end;

	if (strncmp(text, before, sizeof(before) - 1) != 0)
		return NULL;
	*ret = strtoul(text + sizeof(before) - 1, &end, 10);
	return strncmp(end, after, sizeof(after) - 1) == 0 ? end + sizeof(after) - 1 : NULL;
}

/*
 * Records hold the phrases of appliance/wire/deed.def and of `verify` in English, between names of
 * tables, chains and rules as nft writes them. The phrases are translated; names and rules stay as
 * they are.
 */
static void deed_print(FILE *to, enum lang l, const char *object)
{
	static const char found[] = " (" DEED_FOUND ")";
	const char *at = object, *said, *behind;
	unsigned long more;
	size_t n = 0;

	while (*at != '\0') {
		behind = left_out(at, &more);
		if (behind != NULL) {
			message_print(to, l, M_DEEDS_MORE, more);
			at = behind;
		} else if (strcmp(at, found) == 0) {
			message_print(to, l, M_DEED_FOUND);
			break;
		} else if ((*at == ':' || *at == ',') && at[1] == ' ' && (said = phrase(at + 2, l, &n)) != NULL) {
			/* after a name, or after another phrase */
			message_print(to, l, *at == ':' ? M_DEEDS_OF : M_DEEDS_NEXT);
			fputs(said, to);
			at += 2 + n;
		} else {
			fputc(*at++, to);
		}
	}
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void address_text(const json_t *e, const char *key, char out[RENDER_TEXT])
{
	const char *text = js(e, key), *port = strrchr(text, ':');
	bool bracket = text[0] == '[';

	/* Without a port, or for several, the endpoint is only its address: "[::1]:0" is "::1". */
	if (port == NULL || strcmp(port, ":0") != 0)
		snprintf(out, RENDER_TEXT, "%s", text);
	else
		snprintf(out, RENDER_TEXT, "%.*s", (int)(port - text) - 2 * bracket, text + bracket);
}

void event_end(const json_t *e, const char *key, char out[EVENT_END_TEXT])
{
	char name[32], address[RENDER_TEXT];
	const char *label;

	address_text(e, key, address);
	snprintf(name, sizeof(name), "%s_label", key);
	label = js(e, name);
	if (*label == '\0') {
		snprintf(name, sizeof(name), "%s_asset", key);
		label = js(e, name);
	}
	if (*label != '\0')
		snprintf(out, EVENT_END_TEXT, "%s (%s)", label, address);
	else
		snprintf(out, EVENT_END_TEXT, "%s", address);
}

void event_command(FILE *to, const json_t *e, enum lang l)
{
	const struct vocabulary *v = command_words(e);
	const json_t *wrote;

	if (json_object_get(e, "protocol") != NULL)
		fprintf(to, " %s", js(e, "protocol"));
	if (json_object_get(e, "function") != NULL) {
		fputc(' ', to);
		command_function(to, e, v, l);
	}
	command_targets(to, e, v, " ", l);
	if (json_object_get(e, "space") != NULL)
		fprintf(to, " %s", js(e, "space"));
	if (json_object_get(e, "place") != NULL)
		fprintf(to, " %s", js(e, "place"));
	wrote = json_object_get(e, "wrote");
	if (wrote != NULL && ju(wrote, "low") == ju(wrote, "high"))
		message_print(to, l, M_IMPACT_WROTE, ju(wrote, "low"));
	else if (wrote != NULL)
		message_print(to, l, M_IMPACT_WROTE_RANGE, ju(wrote, "low"), ju(wrote, "high"));
}

void event_transport(FILE *to, const json_t *e, enum lang l)
{
	const char *name = js(e, "transport");

	if (*name != '\0' && strspn(name, "0123456789") == strlen(name))
		message_print(to, l, M_EV_PROTOCOL, name);
	else
		fputs(name, to);
	if (json_object_get(e, "icmp_type") != NULL)
		fprintf(to, "/%llu", ju(e, "icmp_type"));
}

void event_limit(FILE *to, const json_t *e, enum lang l)
{
	limit_text(to, json_object_get(e, "limit"), command_words(e), js(e, "space"), l);
}

void event_process(FILE *to, const json_t *e)
{
	const char *role = js(e, "role");

	if (*role == '\0')
		return;
	fputs(role, to);
	if (json_object_get(e, "index") != NULL)
		fprintf(to, "/%llu", ju(e, "index"));
}

/* "TARGET: WHY" of a scheduled backup. */
static void carried_print(FILE *to, enum lang l, const char *object)
{
	const char *why = strstr(object, ": ");
	char target[16];

	snprintf(target, sizeof(target), "%.*s", why != NULL ? (int)(why - object) : 0, object);
	if (why != NULL)
		fprintf(to, "%s: %s", word_text("carries", target, l), word_text("carried", why + 2, l));
	else
		fputs(object, to);
}

void event_object(FILE *to, const json_t *e, enum lang l)
{
	if (js_is(e, "kind", "lost"))
		lost_print(to, l, js(e, "object"));
	else if (js_is(e, "kind", "policy"))
		refusal_print(to, l, js(e, "object"));
	else if (js_is(e, "code", "backup_not_carried"))
		carried_print(to, l, js(e, "object"));
	else if (js_is(e, "code", "service_tried"))
		fputs(word_text("service", js(e, "object"), l), to);
	else
		deed_print(to, l, js(e, "object"));
}

void event_gap(FILE *to, const json_t *e, enum lang l)
{
	unsigned long long us = ju(e, "value");

	if (!js_is(e, "kind", "drift") || us == 0)
		return;
	if (us >= 1000000)
		message_print(to, l, M_EV_GAP_S, us / 1000000, us / 100000 % 10);
	else
		message_print(to, l, M_EV_GAP_MS, us / 1000, us / 100 % 10);
}

/* ---- sentences ------------------------------------------------------------------------------- */

struct telling {
	const json_t *e;
	enum lang lang;
};

static char *written_text(const struct telling *t, void (*how)(FILE *to, const json_t *e, enum lang l))
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	how(to, t->e, t->lang);
	return text_closed(to, &text);
}

/* What was tried: the command if there is one, else the protocol, else the transport. */
static void what_text(FILE *to, const struct telling *t)
{
	bool command = json_object_get(t->e, "function") != NULL, named = command || *js(t->e, "protocol") != '\0';
	char *text = written_text(t, named ? event_command : event_transport);
	const char *word = text == NULL || *text == '\0' ? "IP" : text + (*text == ' ');

	if (js_is(t->e, "direction", "s2c"))
		fputs(word, to); /* in brackets, behind the answer */
	else
		message_print(to, t->lang, command ? M_EXPLAIN_COMMAND : M_EXPLAIN_PROTOCOL, word);
	free(text);
}

static void end_text(FILE *to, const struct telling *t, bool sender)
{
	bool back = js_is(t->e, "direction", "s2c");
	char end[EVENT_END_TEXT];

	event_end(t->e, sender != back ? "client" : "server", end);
	/* The address is a claim; what is known of the sender is where the packet came in. */
	if (sender && js_is(t->e, "reason", "spoofed") && *js(t->e, "interface") != '\0')
		message_print(to, t->lang, M_EXPLAIN_FORGED, js(t->e, "interface"), end);
	else
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
	bool about = !under && js_is(t->e, "kind", "policy");
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
static void put_place(FILE *to, const struct telling *t, const char *name)
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
	else if (js_is(t->e, "kind", "policy") && (strcmp(name, "before") == 0 || strcmp(name, "after") == 0))
		refusal_print(to, t->lang, js(t->e, name));
	else if (strcmp(name, "attack") == 0)
		fputs(attack_text(attack_by_word(js(t->e, name)), lang_name(t->lang)), to);
	else if (strcmp(name, "attack_step") == 0)
		fputs(attack_step(attack_by_word(js(t->e, "attack")), lang_name(t->lang)), to);
	else if (strcmp(name, "attack_end") == 0)
		fputs(attack_end(attack_by_word(js(t->e, "attack")), lang_name(t->lang)), to);
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
static const char *find_outside(const char *text, const char *end, char what)
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

static bool put_text(FILE *to, const struct telling *t, const char *text, const char *end);

/* "[part|else]": the part, if all its values are known. */
static void tell_part(FILE *to, const struct telling *t, const char *text, const char *end)
{
	const char *other = find_outside(text, end, '|');
	char *part = NULL;
	size_t size;
	FILE *draft = open_memstream(&part, &size);
	bool known;

	if (draft == NULL)
		return;
	known = put_text(draft, t, text, other);
	if (fclose(draft) == 0 && known)
		fputs(part, to);
	else if (other < end)
		put_text(to, t, other + 1, end);
	free(part);
}

/* Writes the text with its places filled; returns whether all values outside of optional parts were
 * known. */
static bool put_text(FILE *to, const struct telling *t, const char *text, const char *end)
{
	bool known = true;

	while (text < end) {
		const char *close;

		if (*text == '[') {
			close = find_outside(text + 1, end, ']');
			tell_part(to, t, text + 1, close);
		} else if (*text == '{') {
			char name[24];
			long at = ftell(to);

			close = find_outside(text + 1, end, '}');
			snprintf(name, sizeof(name), "%.*s", (int)(close - text - 1), text + 1);
			put_place(to, t, name);
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
	put_text(to, t, sentence, sentence + strlen(sentence));
}

char *event_sentence(const json_t *e, enum lang l)
{
	const struct telling t = { e, l };
	const char *lang = lang_name(l), *sentence;
	/* Kinds of traffic with sentences of their own. */
	bool passed = js_is(e, "kind", "passed") || js_is(e, "kind", "weak") || js_is(e, "kind", "undeclared");
	bool traffic = *js(e, "client") != '\0' && *js(e, "server") != '\0' && !(passed && ju(e, "records") > 1) &&
		       !js_is(e, "kind", "attack");
	char *text = NULL, when[RENDER_TEXT];
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	sentence = traffic && !passed ? event_traffic_sentence(js(e, "verdict"), js_is(e, "direction", "s2c"), lang)
				      : event_box_sentence(js(e, "kind"), js(e, "code"), lang);
	tell_all(to, &t, sentence != NULL ? sentence : message_format(M_EXPLAIN_BARE, l));
	if (traffic)
		tell_all(to, &t, message_format(M_EXPLAIN_BASIS, l));
	if (traffic && ju(e, "count") > 1)
		message_print(to, l, M_EXPLAIN_COUNT, ju(e, "count"));
	if (ju(e, "sessions") > 0)
		message_print(to, l, M_EXPLAIN_SESSIONS, ju(e, "sessions"), (ju(e, "seconds") + 59) / 60);
	if (json_is_true(json_object_get(e, "in_clear")) && js_is(e, "kind", "flow"))
		message_print(to, l, M_EXPLAIN_IN_CLEAR);
	if (*js(e, "said_time") != '\0') {
		render_time(js(e, "said_time"), when);
		message_print(to, l, M_EXPLAIN_SAID_TIME, when);
	}
	return text_closed(to, &text);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static int by_conduit(const void *pa, const void *pb)
{
	static const char *const keys[] = { "conduit", "server", "client" };
	const json_t *a = *(const json_t *const *)pa, *b = *(const json_t *const *)pb;
	int c = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && c == 0; i++)
		c = strcmp(js(a, keys[i]), js(b, keys[i]));
	return c;
}

json_t *flows_sorted(const json_t *flows)
{
	size_t n = json_array_size(flows);
	json_t **row = calloc(n + 1, sizeof(json_t *)), *list = row != NULL ? json_array() : NULL;

	for (size_t i = 0; row != NULL && i < n; i++)
		row[i] = json_array_get(flows, i);
	if (row != NULL)
		qsort(row, n, sizeof(json_t *), by_conduit);
	for (size_t i = 0; row != NULL && i < n; i++)
		json_array_append(list, row[i]);
	free(row);
	return list;
}

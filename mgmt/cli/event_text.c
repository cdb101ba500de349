/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/event_text.h"

#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/limit_text.h"
#include "mgmt/cli/render.h"
#include "mgmt/cli/width.h"

struct word {
	const char *word;
	enum message text;
};

static const struct word kinds[] = {
	{ "drop", M_KIND_DROP },     { "pdu", M_KIND_PDU },   { "flow", M_KIND_FLOW },
	{ "counts", M_KIND_COUNTS }, { "role", M_KIND_ROLE }, { "policy", M_KIND_POLICY },
	{ "drift", M_KIND_DRIFT },   { "lost", M_KIND_LOST }, { "decided", M_KIND_DECIDED },
	{ "login", M_KIND_LOGIN },
};

static const struct word verdicts[] = {
	{ "allow", M_EV_ALLOW },
	{ "deny", M_EV_DENY },
	{ "observe", M_EV_OBSERVE },
};

static const struct word codes[] = {
	{ "started", M_EV_STARTED },	 { "died", M_EV_DIED },		{ "hung", M_EV_HUNG },
	{ "took_over", M_EV_TOOK_OVER }, { "applied", M_EV_APPLIED },	{ "confirmed", M_EV_CONFIRMED },
	{ "reverted", M_EV_REVERTED },	 { "refused", M_EV_REFUSED },	{ "booted", M_EV_BOOTED },
	{ "flushed", M_EV_FLUSHED },	 { "changed", M_EV_CHANGED },	{ "foreign", M_EV_FOREIGN },
	{ "setting", M_EV_SETTING },	 { "unmended", M_EV_UNMENDED }, { "shut", M_EV_SHUT },
	{ "network", M_EV_NETWORK },	 { "torn", M_EV_TORN },		{ "missing", M_EV_MISSING },
	{ "clock", M_EV_CLOCK },
};

static const char *word_text(const struct word *words, size_t n, const char *word, enum lang l)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i].word, word) == 0)
			return message_format(words[i].text, l);
	return word;
}

#define N_WORDS(table) (sizeof(table) / sizeof((table)[0]))
#define WORD(table, w, l) word_text(table, N_WORDS(table), w, l)

/* Two spaces and the word, as wide as the widest of its table, so that columns stand under each other in any language. */
static void column(FILE *to, const struct word *words, size_t n, const char *word, enum lang l)
{
	const char *text = word_text(words, n, word, l);
	size_t cells = text_cells(text), widest = cells;

	for (size_t i = 0; i < n; i++)
		if (text_cells(message_format(words[i].text, l)) > widest)
			widest = text_cells(message_format(words[i].text, l));
	fprintf(to, "  %s%*s", text, (int)(widest - cells), "");
}

/* "modbus write_single_register unit 1 holding 400-401" as far as the event says it. */
static void what_text(FILE *to, const json_t *e, enum lang l)
{
	const char *function = js(e, "function_name");
	unsigned long long first = ju(e, "address"), quantity = ju(e, "quantity");

	if (json_object_get(e, "protocol") != NULL)
		fprintf(to, " %s", js(e, "protocol"));
	if (*function != '\0')
		fprintf(to, " %s", function);
	else if (json_object_get(e, "function") != NULL)
		message_print(to, l, M_EV_FUNCTION, ju(e, "function"));
	if (json_object_get(e, "unit") != NULL)
		message_print(to, l, M_EV_UNIT, ju(e, "unit"));
	if (json_object_get(e, "space") != NULL)
		fprintf(to, " %s", js(e, "space"));
	if (json_object_get(e, "address") != NULL)
		fprintf(to, quantity > 1 ? " %llu-%llu" : " %llu", first, first + quantity - 1);
}

/* An endpoint of a transport without ports is its address alone: "[::1]:0" is "::1". */
static void endpoint_text(const json_t *e, const char *key, char out[RENDER_TEXT])
{
	const char *text = js(e, key), *port = strrchr(text, ':'), *transport = js(e, "transport");
	bool ports = strcmp(transport, "tcp") == 0 || strcmp(transport, "udp") == 0, bracket = text[0] == '[';

	if (ports || port == NULL || strcmp(port, ":0") != 0)
		snprintf(out, RENDER_TEXT, "%s", text);
	else
		snprintf(out, RENDER_TEXT, "%.*s", (int)(port - text) - 2 * bracket, text + bracket);
}

/* "tcp", or the number of a transport that has no name. */
static void transport_text(FILE *to, const json_t *e, enum lang l)
{
	const char *name = js(e, "transport");

	if (*name != '\0' && strspn(name, "0123456789") == strlen(name))
		message_print(to, l, M_EV_PROTOCOL, name);
	else
		fputs(name, to);
	if (json_object_get(e, "icmp_type") != NULL)
		fprintf(to, "/%llu", ju(e, "icmp_type"));
}

static void who_text(FILE *to, const json_t *e, enum lang l)
{
	bool back = strcmp(js(e, "direction"), "s2c") == 0;
	char end[RENDER_TEXT];

	if (json_object_get(e, "client") == NULL)
		return;
	endpoint_text(e, "client", end);
	fprintf(to, "  %s", end);
	if (json_object_get(e, "server") != NULL) {
		endpoint_text(e, "server", end);
		fprintf(to, " %s %s", back ? "<-" : "->", end);
	}
	fputc(' ', to);
	transport_text(to, e, l);
}

static void box_numbers(FILE *to, const json_t *e, enum lang l)
{
	if (strcmp(js(e, "kind"), "policy") == 0 && ju(e, "value") > 0)
		message_print(to, l, M_EV_GENERATION, ju(e, "value"));
	if (strcmp(js(e, "kind"), "drift") == 0 && ju(e, "value") > 0)
		message_print(to, l, M_EV_GAP, ju(e, "value"));
}

static void box_text(FILE *to, const json_t *e, enum lang l)
{
	if (json_object_get(e, "role") != NULL) {
		fprintf(to, "  %s", js(e, "role"));
		if (json_object_get(e, "index") != NULL)
			fprintf(to, "/%llu", ju(e, "index"));
	}
	if (json_is_string(json_object_get(e, "code")))
		fprintf(to, "  %s", WORD(codes, js(e, "code"), l));
	box_numbers(to, e, l);
}

/* The reason, and in numbers what was wrong: "value not allowed: wrote 9 to holding 400; allowed 0 to 1". */
static void reason_part(FILE *to, const json_t *e, enum lang l)
{
	const json_t *limit = json_object_get(e, "limit");

	fputs(render_reason(js(e, "reason"), l), to);
	if (!json_is_object(limit))
		return;
	fputs(": ", to);
	limit_text(to, limit, js(e, "space"), l);
}

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

char *event_line(const json_t *e, enum lang l)
{
	char *text = NULL, when[RENDER_TEXT];
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	render_time(js(e, "time"), when);
	fprintf(to, "%s  %6llu", when, ju(e, "seq"));
	column(to, kinds, N_WORDS(kinds), js(e, "kind"), l);
	if (json_object_get(e, "verdict") != NULL)
		column(to, verdicts, N_WORDS(verdicts), js(e, "verdict"), l);
	who_text(to, e, l);
	what_text(to, e, l);
	box_text(to, e, l);
	if (json_object_get(e, "reason") != NULL && strcmp(js(e, "reason"), "none") != 0) {
		fputs("  ", to);
		reason_part(to, e, l);
	}
	if (json_object_get(e, "conduit") != NULL)
		fprintf(to, "  [%s %s:%llu]", js(e, "conduit"), js(e, "file"), ju(e, "line"));
	if (ju(e, "count") > 1)
		fprintf(to, "  x%llu", ju(e, "count"));
	return finish(to, &text);
}

/* What the sentence says was tried: the command if there is one, else the protocol, else the transport. */
static char *attempt(const json_t *e, enum lang l)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	what_text(to, e, l);
	if (ftell(to) == 0) {
		fputc(' ', to);
		if (*js(e, "transport") != '\0')
			transport_text(to, e, l);
		else
			fputs("IP", to);
	}
	return finish(to, &text);
}

static char *why(const json_t *e, enum lang l)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	reason_part(to, e, l);
	return finish(to, &text);
}

static enum message sentence_of(const char *verdict, bool answer)
{
	if (strcmp(verdict, "deny") == 0)
		return answer ? M_EXPLAIN_ANSWER_DENIED : M_EXPLAIN_DENIED;
	if (strcmp(verdict, "observe") == 0)
		return answer ? M_EXPLAIN_ANSWER_OBSERVED : M_EXPLAIN_OBSERVED;
	return answer ? M_EXPLAIN_ANSWER_ALLOWED : M_EXPLAIN_ALLOWED;
}

static void part(FILE *to, bool *begun, enum lang l, const char *text)
{
	if (*begun)
		message_print(to, l, M_EXPLAIN_AND);
	fputs(text, to);
	*begun = true;
}

/* What the box did or noticed itself: "At ..., process: dpi/0, died." */
static void box_sentence(FILE *to, const json_t *e, enum lang l, const char *when, const char *client)
{
	const char *role = js(e, "role"), *reason = js(e, "reason");
	char text[RENDER_TEXT];
	bool begun = false;

	message_print(to, l, M_EXPLAIN_BOX, when, WORD(kinds, js(e, "kind"), l));
	if (*role != '\0') {
		snprintf(text, sizeof(text), json_object_get(e, "index") != NULL ? "%s/%llu" : "%s", role,
			 ju(e, "index"));
		part(to, &begun, l, text);
	}
	if (*client != '\0')
		part(to, &begun, l, client);
	if (*js(e, "verdict") != '\0')
		part(to, &begun, l, WORD(verdicts, js(e, "verdict"), l));
	if (*js(e, "code") != '\0')
		part(to, &begun, l, WORD(codes, js(e, "code"), l));
	box_numbers(to, e, l);
	if (*reason != '\0' && strcmp(reason, "none") != 0)
		part(to, &begun, l, render_reason(reason, l));
	message_print(to, l, M_EXPLAIN_END);
}

/* What came from one end and was meant for the other. */
static void traffic_sentence(FILE *to, const json_t *e, enum lang l, const char *when, const char *client,
			     const char *server)
{
	bool back = strcmp(js(e, "direction"), "s2c") == 0;
	char text[1200], *what = attempt(e, l), *reason = why(e, l);

	if (what == NULL || reason == NULL) {
		free(what);
		free(reason);
		return;
	}
	message_text(text, sizeof(text), l, sentence_of(js(e, "verdict"), back), when, back ? server : client,
		     back ? client : server, what[0] == ' ' ? what + 1 : what, reason);
	fputs(text, to);
	if (json_object_get(e, "conduit") != NULL)
		message_print(to, l, M_EXPLAIN_CONDUIT, js(e, "conduit"), js(e, "file"), ju(e, "line"));
	else
		message_print(to, l, M_EXPLAIN_NO_CONDUIT);
	free(what);
	free(reason);
}

char *event_sentence(const json_t *e, enum lang l)
{
	char when[RENDER_TEXT], client[RENDER_TEXT], server[RENDER_TEXT], *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	render_time(js(e, "time"), when);
	endpoint_text(e, "client", client);
	endpoint_text(e, "server", server);
	if (*client == '\0' || *server == '\0')
		box_sentence(to, e, l, when, client);
	else
		traffic_sentence(to, e, l, when, client, server);
	if (ju(e, "count") > 1)
		message_print(to, l, M_EXPLAIN_COUNT, ju(e, "count"));
	return finish(to, &text);
}

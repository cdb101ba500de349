/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/parts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/messages.h"
#include "mgmt/state/lost.h"
#include "mgmt/words/command.h"
#include "mgmt/words/refusal.h"

/* Changes from outside in a record, translated for the reader. */

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

void event_object(FILE *to, const json_t *e, enum lang l)
{
	if (strcmp(js(e, "kind"), "lost") == 0)
		lost_print(to, l, js(e, "object"));
	else if (strcmp(js(e, "kind"), "policy") == 0)
		refusal_print(to, l, js(e, "object"));
	else
		deed_print(to, l, js(e, "object"));
}

void event_gap(FILE *to, const json_t *e, enum lang l)
{
	unsigned long long us = ju(e, "value");

	if (strcmp(js(e, "kind"), "drift") != 0 || us == 0)
		return;
	if (us >= 1000000)
		message_print(to, l, M_EV_GAP_S, us / 1000000, us / 100000 % 10);
	else
		message_print(to, l, M_EV_GAP_MS, us / 1000, us / 100 % 10);
}

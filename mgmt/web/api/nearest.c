/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1/nearest: the conduit that comes nearest to traffic that none covered, and what it lacks.
 * Parameters from the event: from and to (zones), client and server (addresses), transport, and
 * port, or type and code of ICMP.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/web/api/routes.h"
#include "mgmt/words/nearest.h"

/* Largest effective rules in bytes. Parsed, they take several times as much memory, and this
 * process is kept small. */
#define EFFECTIVE_MOST (8u << 20)

static const char *given(const struct target *t, const char *key)
{
	const struct target_parameter *p = target_find(t, key);

	return p != NULL ? p->text : "";
}

static json_t *endpoint(const char *address, uint64_t port)
{
	return strchr(address, ':') != NULL ? json_sprintf("[%s]:%u", address, (unsigned)port)
					    : json_sprintf("%s:%u", address, (unsigned)port);
}

/* The event that the parameters describe; NULL when too few are given. Owned by the caller. */
static json_t *event_of(const struct target *t)
{
	uint64_t port = 0, type = 0, code = 0;
	json_t *e;

	target_number(t, "port", &port);
	target_number(t, "code", &code);
	e = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o}", "reason", "no_conduit", "client_zone", given(t, "from"),
		      "server_zone", given(t, "to"), "transport", given(t, "transport"), "client",
		      endpoint(given(t, "client"), 0), "server", endpoint(given(t, "server"), port));
	if (target_number(t, "type", &type)) {
		json_object_set_new(e, "icmp_type", json_integer((json_int_t)type));
		json_object_set_new(e, "icmp_code", json_integer((json_int_t)code));
	}
	if (port <= UINT16_MAX && type <= UINT8_MAX && code <= UINT8_MAX && nearest_fits(e))
		return e;
	json_decref(e);
	return NULL;
}

static bool ask(const struct target *t, struct msg_body *question)
{
	static const char *const keys[] = { "from", "to", "client", "server", "transport", "port", "type", "code" };
	json_t *e = event_of(t);
	bool known = e != NULL && *given(t, "transport") != '\0';

	(void)question;
	json_decref(e);
	for (size_t i = 0; i < t->n_parameters && known; i++) {
		size_t k = 0;

		while (k < sizeof(keys) / sizeof(keys[0]) && strcmp(t->parameters[i].key, keys[k]) != 0)
			k++;
		known = k < sizeof(keys) / sizeof(keys[0]) && (k < 5 || t->parameters[i].number);
	}
	return known;
}

static char *in_words(const struct target *t, const char *json, size_t n, size_t *ret_n)
{
	json_t *e = event_of(t), *effective = n <= EFFECTIVE_MOST ? json_loadb(json, n, 0, NULL) : NULL, *answer;
	char *en = NULL, *japanese = NULL, *text = NULL;

	if (e != NULL && json_is_array(json_object_get(effective, "cells"))) {
		en = nearest_sentence(e, effective, LANG_EN);
		japanese = nearest_sentence(e, effective, LANG_JA);
	}
	answer = en != NULL && japanese != NULL ? json_pack("{s:s,s:s}", "en", en, "ja", japanese) : NULL;
	if (answer != NULL)
		text = json_dumps(answer, JSON_COMPACT);
	if (text != NULL)
		*ret_n = strlen(text);
	json_decref(answer);
	json_decref(effective);
	json_decref(e);
	free(en);
	free(japanese);
	return text;
}

const struct route route_nearest = { "/api/v1/nearest", MSG_EFFECTIVE, ask,
				     &(const struct route_form){ "application/json", in_words, NULL },
				     RIGHT_READ_RULES };

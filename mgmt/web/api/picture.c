/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1/picture?lang=ja|en: the effective rules as drawn by `sekisho effective --picture`. With
 * flows=it|ot|all: data flows as in `sekisho register flows --to svg`. With at=SECONDS (since
 * 1970): the rules that were in force at that time.
 */
#include <string.h>

#include "mgmt/picture/picture.h"
#include "mgmt/web/api/routes.h"

/* Largest effective rules in bytes. Parsed, they take several times as much memory, and this
 * process is kept small. */
#define EFFECTIVE_MOST (8u << 20)

static const char *said(const struct target *t, const char *key)
{
	const struct target_parameter *p = target_find(t, key);

	return p != NULL ? p->text : "";
}

static bool is_one_of(const char *text, const char *const words[])
{
	while (*words != NULL && strcmp(*words, text) != 0)
		words++;
	return *words != NULL;
}

static bool ask(const struct target *t, struct msg_body *question)
{
	static const char *const langs[] = { "", "ja", "en", NULL }, *const flows[] = { "", "it", "ot", "all", NULL },
				 *const keys[] = { "lang", "flows", "at" };
	size_t known = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		known += target_find(t, keys[i]) != NULL;
	return t->n_parameters == known && is_one_of(said(t, "lang"), langs) && is_one_of(said(t, "flows"), flows) &&
	       effective_at(t, question);
}

static char *in_lines(const struct target *t, const char *json, size_t n, size_t *ret_n)
{
	const char *flows = said(t, "flows");
	enum flow_part part = strcmp(flows, "it") == 0 ? FLOW_IT : strcmp(flows, "ot") == 0 ? FLOW_OT : FLOW_ALL;
	enum lang l = strcmp(said(t, "lang"), "en") == 0 ? LANG_EN : LANG_JA;
	json_t *effective = n <= EFFECTIVE_MOST ? json_loadb(json, n, 0, NULL) : NULL;
	char *svg = *flows != '\0' ? picture_flows(effective, part, l) : picture_svg(effective, l);

	json_decref(effective);
	if (svg != NULL)
		*ret_n = strlen(svg);
	return svg;
}

const struct route route_picture = { "/api/v1/picture", MSG_EFFECTIVE, ask,
				     &(const struct route_form){ "image/svg+xml", in_lines, NULL }, RIGHT_READ_RULES };

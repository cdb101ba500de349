/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/picture?lang=ja|en: the effective rules as `sekisho effective --picture` draws them. */
#include <string.h>

#include "mgmt/picture/picture.h"
#include "mgmt/web/api/routes.h"

/* Read at once, it takes several times its length of memory, and this process is small on purpose. */
#define EFFECTIVE_MOST (8u << 20)

static bool ask(const struct target *t, struct msg_body *question)
{
	const struct target_parameter *p = target_find(t, "lang");

	(void)question;
	return t->n_parameters == (p != NULL) &&
	       (p == NULL || strcmp(p->text, "ja") == 0 || strcmp(p->text, "en") == 0);
}

static char *in_lines(const struct target *t, const char *json, size_t n, size_t *ret_n)
{
	const struct target_parameter *p = target_find(t, "lang");
	json_t *effective = n <= EFFECTIVE_MOST ? json_loadb(json, n, 0, NULL) : NULL;
	char *svg = picture_svg(effective, p != NULL && strcmp(p->text, "en") == 0 ? LANG_EN : LANG_JA);

	json_decref(effective);
	if (svg != NULL)
		*ret_n = strlen(svg);
	return svg;
}

const struct route route_picture = { "/api/v1/picture", MSG_EFFECTIVE, ask,
				     &(const struct route_form){ "image/svg+xml", in_lines, NULL }, RIGHT_READ_RULES };

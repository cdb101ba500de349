/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "policy/check/check.h"

struct both both_same(const char *text)
{
	return (struct both){ { text, text } };
}

static const char *render(struct arena *a, enum lang l, enum message m, const char *x, const char *y, const char *z)
{
	int n = message_text(NULL, 0, l, m, x, y, z);
	char *text = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;

	if (text == NULL)
		return "";
	message_text(text, (size_t)n + 1, l, m, x, y, z);
	return text;
}

struct both both_object(struct check *k, struct object o)
{
	const char *name = o.name != NULL ? o.name : "";

	return (struct both){ { render(k->a, LANG_EN, o.noun, name, "", ""),
				render(k->a, LANG_JA, o.noun, name, "", "") } };
}

struct diag *check_say(struct check *k, enum severity s, const char *code, struct srcpos at, uint32_t width,
		       enum message m, struct both a, struct both b, struct both c)
{
	const char *en = "", *ja = "";
	struct diag *g;

	/* Beyond the limit texts are not kept: those of a million errors would fill the arena. */
	if (k->d->n < DIAG_KEPT || k->d->errors < DIAG_SHOWN) {
		en = render(k->a, LANG_EN, m, a.text[LANG_EN], b.text[LANG_EN], c.text[LANG_EN]);
		ja = render(k->a, LANG_JA, m, a.text[LANG_JA], b.text[LANG_JA], c.text[LANG_JA]);
	}
	g = diag_add_texts(k->d, s, code, at, en, ja);
	g->width = width;
	g->sentence = (unsigned)m + 1;
	return g;
}

struct diag *check_value(struct check *k, enum severity s, const char *code, const struct ast_node *node,
			 enum message m, struct object o, const char *word)
{
	return check_say(k, s, code, node->value_at, node->value_width, m, both_object(k, o), both_same(word),
			 both_same(""));
}

bool check_near(struct check *k, struct diag *g, const char *word, const char *const *known, size_t n)
{
	const char *near = NULL;

	if (k->d->errors <= DIAG_SHOWN)
		near = word_nearest(word, known, n);
	if (near != NULL)
		diag_hint(k->d, g, MP_HINT_NEAR, near);
	return near != NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/check/say.h"
#include "policy/check/check.h"

static const char *render(struct arena *a, enum lang l, enum message m, const char *x, const char *y, const char *z)
{
	int n = message_text(NULL, 0, l, m, x, y, z);
	char *text = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;

	if (text == NULL)
		return "";
	message_text(text, (size_t)n + 1, l, m, x, y, z);
	return text;
}

struct diag *check_both(struct check *k, enum severity s, const char *code, struct srcpos at, uint32_t width,
			enum message m, struct object o, struct both x, struct both y)
{
	const char *text[LANGUAGES] = { "", "" }, *name = o.name != NULL ? o.name : "";
	struct diag *g;

	/* Beyond the limit texts are not kept: those of a million errors would fill the arena. */
	for (int l = 0; l < LANGUAGES && (k->d->n < DIAG_KEPT || k->d->errors < DIAG_SHOWN); l++)
		text[l] = render(k->a, (enum lang)l, m, render(k->a, (enum lang)l, o.noun, name, "", ""), x.text[l],
				 y.text[l]);
	g = diag_add_texts(k->d, s, code, at, text[LANG_EN], text[LANG_JA]);
	g->width = width;
	diag_means(k->d, g, m);
	return g;
}

struct diag *check_say(struct check *k, enum severity s, const char *code, struct srcpos at, uint32_t width,
		       enum message m, struct object o, const char *x, const char *y)
{
	return check_both(k, s, code, at, width, m, o, (struct both){ { x, x } }, (struct both){ { y, y } });
}

struct diag *check_value(struct check *k, enum severity s, const char *code, const struct ast_node *node,
			 enum message m, struct object o, const char *word)
{
	return check_say(k, s, code, node->value_at, node->value_width, m, o, word, "");
}

struct diag *check_hinted(struct check *k, enum severity s, const char *code, const struct ast_node *node,
			  enum message m, struct object o, const char *word, enum message hint)
{
	struct diag *g = check_value(k, s, code, node, m, o, word);

	diag_hint(k->d, g, hint);
	return g;
}

void check_not_empty(struct check *k, const struct ast_node *list, struct object o, enum message hint)
{
	if (list == NULL || list->n > 0)
		return;
	if (hint == NO_HINT)
		check_value(k, SEV_ERROR, "policy.empty_list", list, MP_EMPTY_LIST, o, list->name);
	else
		check_hinted(k, SEV_ERROR, "policy.empty_list", list, MP_EMPTY_LIST, o, list->name, hint);
}

bool check_fits(struct check *k, const struct ast_node *list, size_t most, struct object o)
{
	if (list == NULL || list->n <= most)
		return true;
	check_value(k, SEV_ERROR, "policy.too_large", list, MP_LIST_LONG, o, list->name);
	return false;
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/check/names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/check/check.h"
#include "policy/check/meant.h"
#include "policy/check/model.h"

struct pair {
	const char *name;
	void *object;
};

static int by_name(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

bool names_new(struct check *k, struct names *t, size_t n)
{
	*t = (struct names){ .names = arena_array(k->a, n, sizeof(t->names[0])),
			     .objects = arena_array(k->a, n, sizeof(t->objects[0])) };
	return t->names != NULL && t->objects != NULL;
}

void names_put(struct names *t, const char *name, void *object)
{
	t->names[t->added] = name;
	t->objects[t->added++] = object;
}

bool names_build(struct check *k, struct names *t)
{
	struct pair *pairs = arena_array(k->a, t->added, sizeof(*pairs));

	if (pairs == NULL)
		return false;
	for (size_t i = 0; i < t->added; i++)
		pairs[i] = (struct pair){ t->names[i], t->objects[i] };
	qsort(pairs, t->added, sizeof(*pairs), by_name);
	for (size_t i = 0; i < t->added; i++) {
		t->names[i] = pairs[i].name;
		t->objects[i] = pairs[i].object;
	}
	t->n = t->added;
	return true;
}

void *names_find(const struct names *t, const char *name)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(name, t->names[mid]);

		if (c == 0)
			return t->objects[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static const char *label_of(const struct check *k, const struct names *t, size_t i)
{
	if (t->objects[i] == NULL)
		return "";
	if (t == &k->zones)
		return ((const struct model_zone *)t->objects[i])->label;
	if (t == &k->assets)
		return ((const struct model_asset *)t->objects[i])->label;
	return t == &k->services ? ((const struct model_service *)t->objects[i])->label : "";
}

bool names_hint(struct check *k, const struct names *t, struct diag *g, const char *word, label_reader *label)
{
	const char *plain = k->d->errors <= DIAG_SHOWN ? meant_plain(k->a, word) : NULL, *found = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < t->n && plain != NULL; i++) {
		const char *called = strcasecmp(t->names[i], plain) != 0 ? meant_plain(k->a, label(k, t, i)) : plain;

		if (called == NULL || called[0] == '\0' || strcasecmp(called, plain) != 0)
			continue;
		found = t->names[i];
		n++;
	}
	/* "OFFICE", if there are "Office" and "office", may mean either */
	if (n != 1)
		return check_near(k, g, word, t->names, t->n);
	diag_hint(k->d, g, MP_HINT_CALLED, word, found);
	return true;
}

void *names_need(struct check *k, const struct names *t, const struct ast_node *node, enum message m, const char *code,
		 struct object o)
{
	void *found = names_find(t, node->string);
	struct diag *g;

	if (found != NULL)
		return found;
	g = check_value(k, SEV_ERROR, code, node, m, o, node->string);
	(void)names_hint(k, t, g, node->string, label_of);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies as strings, for tests: a loader of texts in memory, and one compilation with its arena.
 * Nothing is read from disk. A test owns what it makes and frees it with policy_text_end.
 */
#ifndef SEKISHO_TESTS_POLICY_TEXT_H
#define SEKISHO_TESTS_POLICY_TEXT_H

#include <errno.h>
#include <string.h>

#include "policy/compile/compile.h"
#include "policy/render/render.h"
#include "policy/space/prove.h"

struct memory_text {
	const char *name;
	const char *text;
};

struct policy_text {
	const struct memory_text *texts;
	size_t n;
	struct compilation c;
	struct policy_loader loader;
};

static inline int memory_load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const struct policy_text *t = ctx;

	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->texts[i].name, name) == 0) {
			/* A copy of exactly this size, so that a read beyond it is noticed. */
			ret->size = strlen(t->texts[i].text);
			ret->text = arena_strndup(a, t->texts[i].text, ret->size);
			return ret->text != NULL ? 0 : -ENOMEM;
		}
	}
	return -ENOENT;
}

/* Prepares a compilation of `texts`; the first one is the main file. */
static inline void policy_text_begin(struct policy_text *t, const struct memory_text *texts, size_t n)
{
	memset(t, 0, sizeof(*t));
	t->texts = texts;
	t->n = n;
	t->c.arena = arena_new(COMPILE_BUDGET);
	t->loader = (struct policy_loader){ t, memory_load };
	diags_init(&t->c.diags, t->c.arena);
}

static inline void policy_text_end(struct policy_text *t)
{
	arena_free(t->c.arena);
}

/* The nth diagnostic in the order of printing, or NULL. */
static inline const struct diag *policy_text_diag(struct policy_text *t, size_t nth)
{
	diags_sort(&t->c.diags);
	return nth < t->c.diags.n ? t->c.diags.list[nth] : NULL;
}

#endif

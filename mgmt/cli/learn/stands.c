/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/learn/stands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/compile/compile.h"

struct proposed {
	const char *text;
	size_t size;
};

static int load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const struct proposed *p = ctx;

	(void)a;
	if (strcmp(name, "proposal") != 0)
		return -ENOENT;
	if (p->size > SOURCE_MAX)
		return -EFBIG;
	*ret = (struct source_text){ .name = "proposal", .text = p->text, .size = p->size };
	return 0;
}

static void reason(struct diags *d, enum lang lang, char *why, size_t size)
{
	diags_sort(d);
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *g = d->list[i];

		if (g->severity != SEV_ERROR)
			continue;
		if (g->at.line > 0)
			snprintf(why, size, "%u: %s", g->at.line, g->text[lang]);
		else
			snprintf(why, size, "%s", g->text[lang]);
		return;
	}
}

bool stands(const char *text, size_t size, enum lang lang, char *why, size_t why_size)
{
	struct proposed proposed = { text, size };
	struct policy_loader loader = { .load = load, .ctx = &proposed };
	struct compilation c = { .arena = arena_new(COMPILE_BUDGET) };
	bool ok;

	snprintf(why, why_size, "?");
	if (c.arena == NULL)
		return false;
	ok = policy_check(&c, &loader, "proposal") && policy_lower(&c);
	if (!ok)
		reason(&c.diags, lang, why, why_size);
	arena_free(c.arena);
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "policy/read/load.h"
#include "policy/read/scan.h"

/* A text of the bundle; its bytes belong to the caller and have no NUL. */
struct packed {
	const char *name; /* in the arena */
	struct bytes text;
};

struct bundle {
	struct packed *texts;
	size_t n;
};

static int bundle_load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const struct bundle *b = ctx;

	for (size_t i = 0; i < b->n; i++) {
		struct bytes text = b->texts[i].text;
		size_t n = text.left;
		char *copy;

		if (strcmp(b->texts[i].name, name) != 0)
			continue;
		if (n > SOURCE_MAX)
			return -EFBIG;
		copy = arena_alloc(a, n + 1);
		if (copy == NULL)
			return -ENOMEM;
		bytes_copy(&text, copy, n);
		ret->text = copy;
		ret->size = n;
		return 0;
	}
	return -ENOENT;
}

static bool read_packed(struct bytes *b, struct arena *a, struct packed *ret)
{
	struct bytes name;
	size_t n;
	char *text;

	if (!bundle_next(b, &name, &ret->text))
		return false;
	n = name.left;
	text = arena_alloc(a, n + 1);
	if (text == NULL || !bytes_copy(&name, text, n))
		return false;
	ret->name = text;
	return strlen(text) == n && scan_name_confined(text);
}

bool loader_bundle(struct bytes b, struct arena *a, struct policy_loader *ret, const char **ret_main)
{
	struct bundle *u = arena_alloc(a, sizeof(*u));
	uint32_t n = 0;

	*ret = (struct policy_loader){ 0 };
	*ret_main = NULL;
	if (u == NULL || !bundle_head(&b, &n))
		return false;
	u->texts = arena_array(a, n, sizeof(u->texts[0]));
	if (u->texts == NULL)
		return false;
	for (; u->n < n; u->n++) {
		if (!read_packed(&b, a, &u->texts[u->n]))
			return false;
		for (size_t i = 0; i < u->n; i++)
			if (strcmp(u->texts[i].name, u->texts[u->n].name) == 0)
				return false;
	}
	if (!bytes_done(&b))
		return false;
	*ret = (struct policy_loader){ u, bundle_load };
	*ret_main = u->texts[0].name;
	return true;
}

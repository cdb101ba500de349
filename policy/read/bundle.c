/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "policy/read/load.h"
#include "policy/read/scan.h"

size_t bundle_encode(const struct source_text *sources, size_t n, uint8_t *p, size_t size)
{
	size_t need = BUNDLE_MAGIC_SIZE + 4;
	struct outbuf o = outbuf_of(p, p != NULL ? size : 0);

	for (size_t i = 0; i < n; i++)
		need += 2 + strlen(sources[i].name) + 4 + sources[i].size;
	if (p == NULL)
		return need;
	out_bytes(&o, BUNDLE_MAGIC, BUNDLE_MAGIC_SIZE);
	out_be32(&o, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		out_be16(&o, (uint16_t)strlen(sources[i].name));
		out_bytes(&o, sources[i].name, strlen(sources[i].name));
		out_be32(&o, (uint32_t)sources[i].size);
		out_bytes(&o, sources[i].text, sources[i].size);
	}
	return o.failed ? 0 : o.len;
}

/* A text of the bundle; the bytes are the caller's, not NUL-terminated. */
struct packed {
	const char *name; /* arena */
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
	uint16_t name_len;
	uint32_t size;
	char *text;

	if (!bytes_be16(b, &name_len) || !bytes_take(b, name_len, &name) || !bytes_be32(b, &size) ||
	    !bytes_take(b, size, &ret->text))
		return false;
	text = arena_alloc(a, (size_t)name_len + 1);
	if (text == NULL || !bytes_copy(&name, text, name_len))
		return false;
	ret->name = text;
	return strlen(text) == name_len && scan_name_confined(text);
}

bool loader_bundle(struct bytes b, struct arena *a, struct policy_loader *ret, const char **ret_main)
{
	struct bundle *u = arena_alloc(a, sizeof(*u));
	uint32_t n = 0;

	*ret = (struct policy_loader){ 0 };
	*ret_main = NULL;
	if (u == NULL || !bytes_starts(&b, BUNDLE_MAGIC, BUNDLE_MAGIC_SIZE) || !bytes_skip(&b, BUNDLE_MAGIC_SIZE))
		return false;
	if (!bytes_be32(&b, &n) || n == 0 || n > BUNDLE_TEXTS_MAX)
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

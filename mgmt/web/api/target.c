/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/api/target.h"

#include <string.h>

static bool path_sign(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_';
}

/* Up to the question mark or the end. False when it is too long or holds another sign. */
static bool read_path(struct bytes *b, char *out)
{
	uint8_t c;
	size_t n = 0;

	while (b->left > 0 && !bytes_starts(b, "?", 1)) {
		if (!bytes_u8(b, &c) || !path_sign(c) || n + 1 >= TARGET_PATH)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return n > 0 && out[0] == '/';
}

static bool read_key(struct bytes *b, char *out)
{
	uint8_t c;
	size_t n = 0;

	while (bytes_u8(b, &c) && c != '=') {
		if (c < 'a' || c > 'z' || n + 1 >= TARGET_KEY)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return !b->failed && n > 0;
}

/* Up to '&' (taken) or the end; *more says which. */
static bool read_number(struct bytes *b, uint64_t *ret, bool *more)
{
	uint64_t v = 0;
	uint8_t c;
	size_t n = 0;

	*more = false;
	while (b->left > 0 && bytes_u8(b, &c)) {
		if (c == '&') {
			*more = true;
			break;
		}
		if (c < '0' || c > '9' || v > (UINT64_MAX - (uint64_t)(c - '0')) / 10)
			return false;
		v = v * 10 + (uint64_t)(c - '0');
		n++;
	}
	*ret = v;
	return n > 0;
}

static bool read_query(struct bytes *b, struct target *t)
{
	bool more = true;

	while (more) {
		struct target_parameter *p = &t->parameters[t->n_parameters];
		uint64_t twice;

		if (t->n_parameters >= TARGET_PARAMETERS || !read_key(b, p->key) || target_number(t, p->key, &twice) ||
		    !read_number(b, &p->value, &more))
			return false;
		t->n_parameters++;
	}
	return true;
}

void target_parse(struct bytes text, struct target *ret)
{
	uint8_t mark;

	memset(ret, 0, sizeof(*ret));
	if (!read_path(&text, ret->path)) {
		ret->path[0] = '\0';
		return;
	}
	if (text.left == 0)
		return;
	bytes_u8(&text, &mark); /* the question mark */
	ret->bad_query = !read_query(&text, ret);
}

bool target_number(const struct target *t, const char *key, uint64_t *ret)
{
	for (size_t i = 0; i < t->n_parameters; i++)
		if (strcmp(t->parameters[i].key, key) == 0) {
			*ret = t->parameters[i].value;
			return true;
		}
	return false;
}

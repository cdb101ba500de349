/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/api/target.h"

#include <string.h>

#include "appliance/base/utf8.h"
#include "mgmt/web/api/routes.h"

static bool path_sign(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '.';
}

/* Reads up to the question mark or the end. False: too long, or an invalid character. */
static bool read_path(struct bytes *b, char *out)
{
	uint8_t c;
	size_t n = 0;

	while (b->left > 0 && !bytes_starts(b, "?", 1)) {
		if (!bytes_u8(b, &c) || !path_sign(c) || n + 1 >= TARGET_PATH)
			return false;
		/* No path of ours has a segment that begins with a dot. */
		if (c == '.' && (n == 0 || out[n - 1] == '/' || out[n - 1] == '.'))
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

/* A comma separates the words of the only value that is a list. */
static bool value_sign(uint8_t c, bool list)
{
	return (c == ',' && list) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == ':' || c == '/' || c == '-';
}

static void read_number(struct target_parameter *p)
{
	p->number = true;
	for (const char *c = p->text; *c != '\0' && p->number; c++) {
		uint64_t digit = (uint64_t)(*c - '0');

		p->number = *c >= '0' && *c <= '9' && p->value <= (UINT64_MAX - digit) / 10;
		p->value = p->number ? p->value * 10 + digit : 0;
	}
}

/* Reads "E5" of "%E5", as browsers encode it. */
static bool read_escaped(struct bytes *b, uint8_t *ret)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *hi, *lo;
	uint8_t h, l;

	if (!bytes_u8(b, &h) || !bytes_u8(b, &l) || h == 0 || l == 0)
		return false;
	hi = strchr(digits, h);
	lo = strchr(digits, l);
	if (hi == NULL || lo == NULL)
		return false;
	*ret = (uint8_t)((hi - digits) << 4 | (lo - digits));
	return true;
}

/* Reads a value up to '&', which is taken, or up to the end; *more: whether there was an '&'.
 * `words`: the value may have any character, encoded as "%E5". */
static bool read_value(struct bytes *b, struct target_parameter *p, bool words, bool *more)
{
	bool list = strcmp(p->key, "command") == 0;
	uint8_t c;
	size_t n = 0;

	*more = false;
	while (b->left > 0 && bytes_u8(b, &c)) {
		if (c == '&') {
			*more = true;
			break;
		}
		if (words && c == '%' ? !read_escaped(b, &c) : !value_sign(c, list))
			return false;
		if (n + 1 >= TARGET_TEXT)
			return false;
		p->text[n++] = (char)c;
	}
	p->text[n] = '\0';
	read_number(p);
	return n > 0 && utf8_is_plain(bytes_of(p->text, n));
}

static bool read_query(struct bytes *b, struct target *t)
{
	bool words = strcmp(t->path, GET_ASK) == 0, more = true;

	while (more) {
		struct target_parameter *p = &t->parameters[t->n_parameters];

		if (t->n_parameters >= TARGET_PARAMETERS || !read_key(b, p->key) || target_find(t, p->key) != NULL ||
		    !read_value(b, p, words, &more))
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

const struct target_parameter *target_find(const struct target *t, const char *key)
{
	for (size_t i = 0; i < t->n_parameters; i++)
		if (strcmp(t->parameters[i].key, key) == 0)
			return &t->parameters[i];
	return NULL;
}

bool target_number(const struct target *t, const char *key, uint64_t *ret)
{
	const struct target_parameter *p = target_find(t, key);

	if (p == NULL || !p->number)
		return false;
	*ret = p->value;
	return true;
}

const char *target_text(const struct target *t, const char *key)
{
	const struct target_parameter *p = target_find(t, key);

	return p != NULL ? p->text : "";
}

bool target_is_one_of(const struct target *t, const char *key, const char *const words[], size_t *n)
{
	const struct target_parameter *p = target_find(t, key);

	*n += p != NULL;
	while (p != NULL && *words != NULL && strcmp(*words, p->text) != 0)
		words++;
	return p == NULL || *words != NULL;
}

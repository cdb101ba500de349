/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/tag.h"

#include <string.h>

#define BASIS 0xcbf29ce484222325u
#define PRIME 0x100000001b3u

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80; /* some controllers allow UTF-8 */
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Mixes the hash: every bit depends on the whole name. */
static uint64_t hash_finish(uint64_t h)
{
	h = (h ^ (h >> 32)) * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9u;
	return (h ^ (h >> 32)) & INT64_MAX;
}

void tag_begin(struct tag_digest *d)
{
	*d = (struct tag_digest){ .h = BASIS };
}

bool tag_add(struct tag_digest *d, uint8_t c)
{
	bool begins = d->n == 0 || d->last == '.' || d->last == ':';

	c = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
	if (d->n == TAG_MAX || !(is_letter(c) || is_digit(c) || (!begins && (c == '.' || c == ':'))))
		return false;
	if (c == '.') {
		if (d->n_within < WITHIN_MAX)
			d->within[d->n_within++] = hash_finish(d->h);
	}
	d->h = (d->h ^ c) * PRIME;
	d->last = c;
	d->n++;
	return true;
}

bool tag_is_whole(const struct tag_digest *d)
{
	return d->n > 0 && d->last != '.' && d->last != ':';
}

uint64_t tag_end(const struct tag_digest *d, uint64_t ret_within[WITHIN_MAX], uint8_t *ret_n)
{
	memcpy(ret_within, d->within, sizeof(d->within));
	*ret_n = d->n_within;
	return hash_finish(d->h);
}

bool tag_read(const char *name, size_t n, uint64_t *ret)
{
	uint64_t within[WITHIN_MAX];
	struct tag_digest d;
	uint8_t n_within;

	tag_begin(&d);
	for (size_t i = 0; i < n; i++)
		if (!tag_add(&d, (uint8_t)name[i]))
			return false;
	*ret = tag_end(&d, within, &n_within);
	return tag_is_whole(&d);
}

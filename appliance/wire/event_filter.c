/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/event_filter.h"

#include <string.h>

bool event_filter_set(struct event_filter *f, enum event_filter_key key, const char *text)
{
	size_t n = strlen(text);

	if (n >= FILTER_TEXT)
		return false;
	memset(f->text[key], 0, FILTER_TEXT);
	memcpy(f->text[key], text, n);
	return true;
}

bool event_filter_any(const struct event_filter *f)
{
	for (unsigned i = 0; i < FILTER_KEYS; i++)
		if (f->text[i][0] != '\0')
			return false;
	return true;
}

void event_filter_encode(const struct event_filter *f, struct outbuf *o)
{
	for (unsigned i = 0; i < FILTER_KEYS && !event_filter_any(f); i++) {
		out_u8(o, (uint8_t)strlen(f->text[i]));
		out_bytes(o, f->text[i], strlen(f->text[i]));
	}
}

bool event_filter_decode(struct bytes *b, struct event_filter *ret)
{
	*ret = (struct event_filter){ 0 };
	if (b->left == 0)
		return !b->failed;
	for (unsigned i = 0; i < FILTER_KEYS; i++) {
		uint8_t n;

		if (!bytes_u8(b, &n) || n >= FILTER_TEXT || !bytes_copy(b, ret->text[i], n) ||
		    strlen(ret->text[i]) != n)
			return false;
	}
	return bytes_done(b) && !event_filter_any(ret);
}

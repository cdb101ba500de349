/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/bundle.h"

#include <string.h>

#include "appliance/base/utf8.h"

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

bool bundle_head(struct bytes *b, uint32_t *ret_n)
{
	return bytes_starts(b, BUNDLE_MAGIC, BUNDLE_MAGIC_SIZE) && bytes_skip(b, BUNDLE_MAGIC_SIZE) &&
	       bytes_be32(b, ret_n) && *ret_n > 0 && *ret_n <= BUNDLE_TEXTS_MAX;
}

bool bundle_next(struct bytes *b, struct bytes *ret_name, struct bytes *ret_text)
{
	uint16_t n_name;
	uint32_t n_text;

	return bytes_be16(b, &n_name) && bytes_take(b, n_name, ret_name) && bytes_be32(b, &n_text) &&
	       bytes_take(b, n_text, ret_text) && utf8_is_plain(*ret_name);
}

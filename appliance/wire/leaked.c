/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/leaked.h"

#include <string.h>

#include "appliance/base/bytes.h"
#include "appliance/base/sha256.h"

static const char magic[8] = { 's', 'e', 'k', 'l', 'e', 'a', 'k', '1' };

void leaked_head_write(const struct leaked_head *h, uint8_t out[LEAKED_HEAD])
{
	struct outbuf o = outbuf_of(out, LEAKED_HEAD);

	out_bytes(&o, magic, sizeof(magic));
	out_be64(&o, h->count);
	out_be64(&o, h->loaded);
	out_bytes(&o, h->digest, sizeof(h->digest));
}

bool leaked_head_read(const uint8_t head[LEAKED_HEAD], uint64_t bytes, struct leaked_head *ret)
{
	struct bytes b = bytes_of(head, LEAKED_HEAD);
	char first[sizeof(magic)];

	bytes_copy(&b, first, sizeof(first));
	bytes_be64(&b, &ret->count);
	bytes_be64(&b, &ret->loaded);
	bytes_copy(&b, ret->digest, sizeof(ret->digest));
	return bytes_done(&b) && memcmp(first, magic, sizeof(magic)) == 0 && ret->count > 0 &&
	       ret->count <= LEAKED_MOST && bytes == LEAKED_HEAD + ret->count * LEAKED_PREFIX;
}

void leaked_begin(uint64_t count, uint8_t chain[32])
{
	uint8_t number[8];
	struct outbuf o = outbuf_of(number, sizeof(number));

	out_be64(&o, count);
	sha256_pair(magic, sizeof(magic), number, sizeof(number), chain);
}

void leaked_fold(uint8_t chain[32], const uint8_t *block, size_t n)
{
	uint8_t before[32];

	memcpy(before, chain, sizeof(before));
	sha256_pair(before, sizeof(before), block, n, chain);
}

void leaked_end(const uint8_t chain[32], uint64_t loaded, uint8_t digest[32])
{
	uint8_t number[8];
	struct outbuf o = outbuf_of(number, sizeof(number));

	out_be64(&o, loaded);
	sha256_pair(chain, 32, number, sizeof(number), digest);
}

void leaked_prefix(const char *phrase, size_t n, uint8_t out[LEAKED_PREFIX])
{
	uint8_t digest[20];

	sha1(phrase, n, digest);
	memcpy(out, digest, LEAKED_PREFIX);
	explicit_bzero(digest, sizeof(digest));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/listed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"

#define FILE_MOST (17u << 20) /* the longest list, that of isolations, has at most 16 MB of JSON */

bool listed_write(int dirfd, const char *name, const char *json, size_t n)
{
	uint8_t digest[32];
	char hex[65], *text;
	struct err e;
	int size;
	bool saved;

	sha256(json, n, digest);
	hex_text(digest, sizeof(digest), hex);
	size = asprintf(&text, "sekisho %s 1\n%s\n%.*s\n", name, hex, (int)n, json);
	saved = size >= 0 && atomic_write(dirfd, name, text, (size_t)size, &e) == 0;
	if (size >= 0)
		free(text);
	return saved;
}

bool listed_save(int dirfd, const char *name, const json_t *list)
{
	char *json = json_dumps(list, JSON_INDENT(1));
	bool saved = json != NULL && listed_write(dirfd, name, json, strlen(json));

	free(json);
	return saved;
}

/* Checks the digest. NULL: the text is not as it was written. */
static json_t *read_text(const char *name, const char *text, size_t n)
{
	char head[64], hex[65];
	uint8_t digest[32];
	size_t k = (size_t)snprintf(head, sizeof(head), "sekisho %s 1\n", name);

	if (n < k + 66 || memcmp(text, head, k) != 0 || text[n - 1] != '\n')
		return NULL;
	sha256(text + k + 65, n - k - 66, digest);
	hex_text(digest, sizeof(digest), hex);
	if (memcmp(hex, text + k, 64) != 0)
		return NULL;
	return json_loadb(text + k + 65, n - k - 66, JSON_REJECT_DUPLICATES, NULL);
}

json_t *listed_read(int dirfd, const char *name, size_t most)
{
	uint8_t *p = NULL;
	size_t n = 0;
	struct err e;
	int r = file_read(dirfd, name, FILE_MOST, &p, &n, &e);
	json_t *j = r == 0 ? read_text(name, (const char *)p, n) : r == -ENOENT ? json_array() : NULL;

	free(p);
	if (json_is_array(j) && json_array_size(j) <= most)
		return j;
	json_decref(j);
	return NULL;
}

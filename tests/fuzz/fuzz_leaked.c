/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of leaked passphrases, as strangers publish it. Whatever is in it, the result has the form
 * that the box accepts: in strict order, with the right digest, and with no more entries than
 * accepted lines. Each line is counted as accepted or as skipped.
 *
 * LINK: mgmt/cli/user/leaked.c mgmt/cli/shut/shut.c appliance/wire/leaked.c
 * LINK: appliance/base/sha256.c appliance/base/bytes.c
 * LINK: appliance/base/memfd.c appliance/base/err.c appliance/base/utf8.c
 * LIBS: nettle libseccomp jansson
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/leaked.h"
#include "mgmt/cli/user/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int cli_fail(struct cli *c, enum cli_status status, enum message m, ...)
{
	(void)c;
	(void)m;
	return (int)status;
}

int cli_fail_file(struct cli *c, enum cli_status status, const char *name, int code)
{
	(void)c;
	(void)name;
	(void)code;
	return (int)status;
}

static void whole(const uint8_t *p, size_t n, unsigned long long taken)
{
	struct leaked_head head;
	uint8_t chain[32], digest[32];

	assert(leaked_head_read(p, n, &head) && head.count <= taken && head.loaded == 0);
	leaked_begin(head.count, chain);
	for (size_t at = LEAKED_HEAD; at < n; at += LEAKED_BLOCK)
		leaked_fold(chain, p + at, n - at < LEAKED_BLOCK ? n - at : LEAKED_BLOCK);
	leaked_end(chain, 0, digest);
	assert(memcmp(digest, head.digest, sizeof(digest)) == 0);
	for (size_t at = LEAKED_HEAD + LEAKED_PREFIX; at < n; at += LEAKED_PREFIX)
		assert(memcmp(p + at - LEAKED_PREFIX, p + at, LEAKED_PREFIX) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size > 0 ? size : 1);
	struct leaked_lines lines = { 0 };
	unsigned long long said = 0;
	bool too_many;
	uint8_t *p;
	size_t n;

	assert(text != NULL);
	memcpy(text, data, size);
	p = leaked_list(text, size, &n, &too_many, &lines);
	assert(p != NULL && !too_many);
	for (size_t i = 0, begun = 0; i <= size; i++)
		if (i == size || text[i] == '\n') {
			size_t line = i - begun;

			line -= line > 0 && text[i - 1] == '\r';
			said += line > 0;
			begun = i + 1;
		}
	assert(lines.taken + lines.passed_over == said && lines.other_hashes <= lines.passed_over);
	assert((n > 0) == (lines.taken > 0));
	if (n > 0)
		whole(p, n, lines.taken);
	free(p);
	free(text);
	return 0;
}

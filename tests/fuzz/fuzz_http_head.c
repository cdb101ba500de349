/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of an update server's answer. If it is accepted, it gives one length, and the same one
 * without the bytes after the header.
 *
 * LINK: appliance/fetch/head.c appliance/base/bytes.c
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/fetch/fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);
	uint64_t length, again;
	size_t n, m;

	if (exact == NULL)
		return 0;
	memcpy(exact, data, size);
	if (fetch_head(bytes_of(exact, size), &n, &length) == FETCH_DONE) {
		assert(n >= 4 && n <= size && n <= FETCH_HEAD_MOST && length < UINT64_C(1000000000000000));
		assert(memcmp(exact + n - 4, "\r\n\r\n", 4) == 0 && memcmp(exact, "HTTP/1.", 7) == 0);
		assert(fetch_head(bytes_of(exact, n), &m, &again) == FETCH_DONE && m == n && again == length);
		assert(fetch_head(bytes_of(exact, n - 1), &m, &again) == FETCH_MORE);
	}
	/* What follows the first line of the answer to a sent file does not matter. */
	if (fetch_stored(bytes_of(exact, size)) == FETCH_DONE) {
		const uint8_t *end = memmem(exact, size, "\r\n", 2);

		assert(end != NULL && fetch_stored(bytes_of(exact, (size_t)(end - exact) + 2)) == FETCH_DONE);
		assert(memcmp(exact, "HTTP/1.", 7) == 0 && exact[9] == '2');
	}
	free(exact);
	return 0;
}

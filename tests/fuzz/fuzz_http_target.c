/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request target and the Authorization header, as they come from the network. What is accepted
 * has exactly one spelling.
 *
 * LINK: mgmt/web/api/target.c mgmt/web/secrets.c mgmt/web/certificate.c $(BASE_SRC)
 * LIBS: nettle gnutls jansson
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/web/api/target.h"
#include "mgmt/web/secrets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char token[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);
	char *text = malloc(size + 1);
	struct target t;

	if (exact != NULL && text != NULL) {
		memcpy(exact, data, size);
		target_parse(bytes_of(exact, size), &t);
		/* An accepted path is the beginning of the input, byte for byte: nothing in it was
		 * decoded. */
		assert(strlen(t.path) < TARGET_PATH && strlen(t.path) <= size &&
		       memcmp(t.path, exact, strlen(t.path)) == 0);
		assert(strchr(t.path, '%') == NULL && (t.path[0] == '\0' || t.path[0] == '/'));
		assert(t.n_parameters <= TARGET_PARAMETERS);
		memcpy(text, data, size);
		text[size] = '\0';
		if (token_matches(text, token))
			assert(strlen(text) == 7 + TOKEN_DIGITS && memcmp(text + 7, token, TOKEN_DIGITS) == 0);
		(void)token_valid((const char *)exact, size);
	}
	free(exact);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/weakness.h"

#include <stdio.h>

#include "appliance/wire/tls.h"

void weakness_text(const json_t *words, enum lang l, char out[WEAKNESS_TEXT])
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(words) && at < WEAKNESS_TEXT; i++) {
		const char *word = json_string_value(json_array_get(words, i)), *before = l == LANG_JA ? "、" : ", ";
		enum tls_weakness w = tls_weakness_by_word(word != NULL ? word : "");

		at += (size_t)snprintf(out + at, WEAKNESS_TEXT - at, "%s%s", i > 0 ? before : "",
				       w != TLS_WEAKNESS_COUNT ? tls_weakness_text(w, lang_name(l))
				       : word != NULL	       ? word
							       : "");
	}
}

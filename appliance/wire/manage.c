/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/manage.h"

#include <string.h>

static const char *const words[MANAGE_ORDERS] = {
#define ORDER(id, word, root) [id] = (word),
#include "appliance/wire/manage.def"
};

const char *manage_word(enum manage_order o)
{
	return words[o];
}

enum manage_order manage_by_word(const char *word)
{
	unsigned i = 0;

	while (i < MANAGE_ORDERS && strcmp(words[i], word) != 0)
		i++;
	return (enum manage_order)i;
}

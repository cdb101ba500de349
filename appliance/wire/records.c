/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/records.h"

#include <string.h>

static const struct {
	const char *word;
	enum right right;
} orders[RECORDS_ORDERS] = {
#define ORDER(id, word, right) [id] = { word, right },
#include "appliance/wire/records.def"
};

const char *records_word(enum records_order o)
{
	return orders[o].word;
}

enum right records_right(enum records_order o)
{
	return orders[o].right;
}

enum records_order records_by_word(const char *word)
{
	unsigned i = 0;

	while (i < RECORDS_ORDERS && strcmp(orders[i].word, word) != 0)
		i++;
	return (enum records_order)i;
}

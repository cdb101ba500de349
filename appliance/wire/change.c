/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/change.h"

#include <string.h>

static const struct {
	const char *word;
	enum right right;
} orders[CHANGE_ORDERS] = {
#define ORDER(id, word, right) [id] = { word, right },
#include "appliance/wire/change.def"
};

bool change_isolates(unsigned order)
{
	return order == CHANGE_ISOLATE || order == CHANGE_REJOIN_READS || order == CHANGE_REJOIN;
}

const char *change_word(enum change_order o)
{
	return orders[o].word;
}

enum right change_right(enum change_order o)
{
	return orders[o].right;
}

enum change_order change_by_word(const char *word)
{
	unsigned i = 0;

	while (i < CHANGE_ORDERS && strcmp(orders[i].word, word) != 0)
		i++;
	return (enum change_order)i;
}

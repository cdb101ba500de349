/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/orders.h"

#include <string.h>

#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

struct order {
	const char *word;
	enum right right;
};

static const struct order changes[CHANGE_ORDERS] = {
#define ORDER(id, word, right) [id] = { word, right },
#include "appliance/wire/change.def"
};
static const struct order manages[MANAGE_ORDERS] = {
#define ORDER(id, word, root) [id] = { word, MANAGE_RIGHT },
#include "appliance/wire/manage.def"
};
static const struct order of_records[RECORDS_ORDERS] = {
#define ORDER(id, word, right) [id] = { word, right },
#include "appliance/wire/records.def"
};

/* `n` when no order has that word. */
static unsigned by_word(const struct order *list, unsigned n, const char *word)
{
	unsigned i = 0;

	while (i < n && strcmp(list[i].word, word) != 0)
		i++;
	return i;
}

bool change_isolates(unsigned order)
{
	return order == CHANGE_ISOLATE || order == CHANGE_REJOIN_READS || order == CHANGE_REJOIN;
}

bool change_is_boxs(unsigned order)
{
	return order == CHANGE_CHECK || order == CHANGE_TRY || order == CHANGE_APPLY || order == CHANGE_CONFIRM ||
	       order == CHANGE_ROLLBACK || order == CHANGE_HAND_OVER || order == CHANGE_SERVICE ||
	       change_names_object(order);
}

bool change_tries(unsigned order, unsigned flags)
{
	return order == CHANGE_CHECK || order == CHANGE_TRY ||
	       ((order == CHANGE_APPLY || order == CHANGE_ROLLBACK) && (flags & APPLY_DRY_RUN) != 0);
}

const char *change_word(enum change_order o)
{
	return changes[o].word;
}

enum right change_right(enum change_order o)
{
	return changes[o].right;
}

enum change_order change_by_word(const char *word)
{
	return (enum change_order)by_word(changes, CHANGE_ORDERS, word);
}

const char *manage_word(enum manage_order o)
{
	return manages[o].word;
}

enum manage_order manage_by_word(const char *word)
{
	return (enum manage_order)by_word(manages, MANAGE_ORDERS, word);
}

const char *records_word(enum records_order o)
{
	return of_records[o].word;
}

enum right records_right(enum records_order o)
{
	return of_records[o].right;
}

enum records_order records_by_word(const char *word)
{
	return (enum records_order)by_word(of_records, RECORDS_ORDERS, word);
}

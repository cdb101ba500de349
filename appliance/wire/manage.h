/* SPDX-License-Identifier: Apache-2.0 */
/* Orders about the accounts of others that come over the web, as manage.def has them. Each
 * takes MANAGE_RIGHT. */
#ifndef SEKISHO_WIRE_MANAGE_H
#define SEKISHO_WIRE_MANAGE_H

#include "appliance/wire/duty.h"

#define MANAGE_RIGHT RIGHT_ACCOUNTS

enum manage_order {
#define ORDER(id, word, root) id,
#include "appliance/wire/manage.def"
	MANAGE_ORDERS
};

const char *manage_word(enum manage_order o);
/* MANAGE_ORDERS when no order has that word. */
enum manage_order manage_by_word(const char *word);

#endif

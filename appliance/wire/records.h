/* SPDX-License-Identifier: Apache-2.0 */
/* Orders about the records, the devices and alarms of attacks that come over the web, as
 * records.def has them. */
#ifndef SEKISHO_WIRE_RECORDS_H
#define SEKISHO_WIRE_RECORDS_H

#include "appliance/wire/duty.h"

enum records_order {
#define ORDER(id, word, right) id,
#include "appliance/wire/records.def"
	RECORDS_ORDERS
};

const char *records_word(enum records_order o);
enum right records_right(enum records_order o);
/* RECORDS_ORDERS when no order has that word. */
enum records_order records_by_word(const char *word);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Orders that come over the web, each with its word and the right that it takes: about the draft of
 * a policy (change.def), about the accounts of others (manage.def), about the records, the devices
 * and alarms of attacks (records.def). */
#ifndef SEKISHO_WIRE_ORDERS_H
#define SEKISHO_WIRE_ORDERS_H

#include <stdbool.h>

#include "appliance/wire/duty.h"

/* ---- the draft of a policy ------------------------------------------------------------------- */

enum change_order {
#define ORDER(id, word, right) id,
#include "appliance/wire/change.def"
	CHANGE_ORDERS
};

/* largest bundle in bytes that is accepted over the web; the command line may send more */
#define CHANGE_TEXTS_MOST (1u << 20)
/* shortest trial in seconds, so that a person who applies over the network can see whether the box
 * is still reachable */
#define CHANGE_CONFIRM_LEAST 30u

/* Whether the order is about isolations; `object` then names what is isolated. */
bool change_isolates(unsigned order);
/* Whether the order has an `object`: orders about isolations and doors do. */
static inline bool change_names_object(unsigned o)
{
	return change_isolates(o) || o == CHANGE_OPEN || o == CHANGE_SHUT || o == CHANGE_REVIEW_DOOR;
}

/* Whether the order changes what is in force. The supervisor carries it out, and asks accounts
 * about the person itself; other orders change only the draft, which control keeps. */
bool change_is_boxs(unsigned order);

/* Whether the order, with these flags of an apply, only tells what would happen. */
bool change_tries(unsigned order, unsigned flags);

const char *change_word(enum change_order o);
enum right change_right(enum change_order o);
/* CHANGE_ORDERS when no order has that word. */
enum change_order change_by_word(const char *word);

/* ---- accounts of others ---------------------------------------------------------------------- */

#define MANAGE_RIGHT RIGHT_ACCOUNTS /* the right that each of these orders takes */

enum manage_order {
#define ORDER(id, word, root) id,
#include "appliance/wire/manage.def"
	MANAGE_ORDERS
};

const char *manage_word(enum manage_order o);
/* MANAGE_ORDERS when no order has that word. */
enum manage_order manage_by_word(const char *word);

/* ---- records, devices, alarms ---------------------------------------------------------------- */

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

/* SPDX-License-Identifier: Apache-2.0 */
/* Orders about the draft of a policy, as change.def has them, and their bounds. */
#ifndef SEKISHO_WIRE_CHANGE_H
#define SEKISHO_WIRE_CHANGE_H

#include "appliance/wire/duty.h"

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

const char *change_word(enum change_order o);
enum right change_right(enum change_order o);
/* CHANGE_ORDERS when no order has that word. */
enum change_order change_by_word(const char *word);

#endif

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

#define CHANGE_TEXTS_MOST (1u << 20) /* bytes of a bundle that comes over the web; the command line takes more */
#define CHANGE_CONFIRM_LEAST                                                                                           \
	30u /* seconds: who applies over the network must be able to see whether he still reaches the box */

/* About isolations: what `object` names. */
bool change_isolates(unsigned order);
/* The same, and about doors. */
static inline bool change_names_object(unsigned o)
{
	return change_isolates(o) || o == CHANGE_OPEN || o == CHANGE_SHUT || o == CHANGE_REVIEW_DOOR;
}

const char *change_word(enum change_order o);
enum right change_right(enum change_order o);
/* CHANGE_ORDERS when there is none of that word. */
enum change_order change_by_word(const char *word);

#endif

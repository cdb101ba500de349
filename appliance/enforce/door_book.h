/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doors of the policy in force that people have opened, each until a fixed moment; requests
 * that wait for a second person; and uses of break-glass doors without a review. The functions here
 * decide about orders, record them, and say how long each door is open. They change neither the
 * kernel's rules nor the disk.
 *
 * A request has a name, "3-5f0c6a1e9b7d2c48": its number, and the begin of the digest of everything
 * that it opens: what the door means in the policy in force (ir_door_meaning), who asked and when,
 * for how long, and the words that he gave. The second person agrees to that name. The entry never
 * changes; when anything that it rests on does, the request is void, and this is recorded.
 *
 * Openings are numbered. Whoever shuts a door writes how the opening has gone (its note).
 */
#ifndef SEKISHO_ENFORCE_DOOR_BOOK_H
#define SEKISHO_ENFORCE_DOOR_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/base/sentence.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "policy/ir/ir.h"

/* What decides whether an order is carried out, and which doors the clock shuts. */
struct door_scene {
	const struct ir *ir; /* the policy in force */
	uint64_t number;     /* the number of its generation */
	bool trusted;	     /* the clock is trusted */
	bool busy;	     /* a change of the list is under way */
	/* what accounts said with the order, of who may open doors now; NULL = nothing; borrowed */
	const json_t *openers;
	struct event_port *events;
};

enum door_done {
	DOOR_REFUSED,
	DOOR_VOID,  /* refused, and the request is void: the list is to be stored */
	DOOR_ASKED, /* the first of two persons has asked; nothing opens before the second agrees */
	DOOR_CHANGED,
};

/* Carries the order out on the list; if it is refused, *ret_why says why. The list is not
 * to be used after DOOR_REFUSED. */
enum door_done door_ordered(json_t *list, const struct door_scene *c, const struct msg_door *m,
			    struct sentence *ret_why);
/* Shuts doors whose time is over or that the policy does not allow any more, and voids requests in
 * the same way. To be called only while the clock is trusted. True: something has changed. */
bool doors_follow(json_t *list, const struct door_scene *c);
/* Until when the door is open, in seconds since 1970; 0 = it is shut. */
uint64_t door_until(const json_t *list, const struct ir_door *d);

#endif

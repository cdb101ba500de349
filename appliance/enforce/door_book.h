/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doors of the policy in force that people have opened, each until a fixed moment; requests
 * that wait for a second person; and uses of break-glass doors without a review. This decides about
 * orders, records them, and says how long each door is open. It knows no kernel, and no disk.
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

/* What an order or the clock is judged by. */
struct door_scene {
	const struct ir *ir; /* in force */
	uint64_t number;     /* its generation */
	bool trusted;	     /* the clock is */
	bool busy;	     /* a change of the list is under way */
	struct event_port *events;
};

enum door_done {
	DOOR_REFUSED,
	DOOR_ASKED, /* the first of two persons has asked: nothing opens yet */
	DOOR_CHANGED,
};

/* Carries the order out on the list; if it is refused, *ret_why says why and the list is not to be
 * used. */
enum door_done door_ordered(json_t *list, const struct door_scene *c, const struct msg_door *m,
			    struct sentence *ret_why);
/* Shuts what is over, or not allowed any more. True: something has changed. Only with a trusted
 * clock. */
bool doors_follow(json_t *list, const struct door_scene *c);
/* Until when the door is open, in seconds since 1970; 0 = it is shut. */
uint64_t door_until(const json_t *list, const struct ir_door *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The devices that the box has taken, their earlier state, and how they are given back. */
#ifndef SEKISHO_SUPERVISE_KEPT_H
#define SEKISHO_SUPERVISE_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"

struct err;
struct ir;
struct supervisor;

struct kept {
	json_t *records; /* store/kept.h: the earlier state of devices; owned */
	bool unsaved;	 /* they are not on disk, which is full or fails */
};

int kept_open(struct supervisor *s, struct err *e);
/* Loads rules that keep the machine's own namespace from forwarding over the box's cards that are
 * still in it. To be called once the policy in force is known. */
void kept_guard(struct supervisor *s);
/* Stores the state of the devices of `ir` on the disk before they are moved. The records before go
 * to *ret_before, unless it is NULL; owned by the caller. */
int kept_take(struct supervisor *s, const struct ir *ir, json_t **ret_before, struct err *e);
/* The answer with the records. Owned by the caller. */
json_t *kept_list(const struct supervisor *s);
/* Whether the device was released by a person's order, and must not be taken again without
 * another order. */
bool kept_left_alone(const void *supervisor, const char *device);
/* Gives back devices that came for a policy that is given up, and restores the records `before`,
 * which is taken over. */
void kept_undo(struct supervisor *s, const struct ir *ir, const bool *moved, json_t *before);
/* Gives back devices that are not in the policy in force. `going_back`: also those that a later
 * apply left out.
 * `left`: the policy that named them, NULL = not known. */
void kept_settle(struct supervisor *s, bool going_back, const struct ir *left);
/* Records devices that were released while no daemon ran. */
void kept_tell(struct supervisor *s);
/* Moves devices that an apply left out, and that are in the first namespace again after a start of
 * the machine, back into the box, without using them. */
void kept_hold(struct supervisor *s);
/* A sentence about the devices of the policy in force that persons released; NULL = none. Owned by
 * the caller. */
json_t *kept_notice(const struct supervisor *s);
/* Whether the policy in force names the device and nobody released it, or it is one that an apply
 * left out. */
bool kept_wants(const struct supervisor *s, const char *device);
/* Notes devices that generation `by` leaves out: they stay in the box unused, until a policy takes
 * them or a person returns them. The note is on the disk before the new policy is. `old`, `next`
 * NULL: it is not known which devices the confirmed policy names. Then none is given back, because
 * the machine could forward between them without any rule. */
void kept_retire(struct supervisor *s, const struct ir *old, const struct ir *next, uint64_t by);
/* Tries again to write records that could not be written. */
void kept_save_again(struct supervisor *s);
/* Releases a device by order, by its own name or that of the policy, or all devices. False: the box
 * has no device of that name. */
bool kept_release(struct supervisor *s, const char *name, bool all);
/* Whether the devices were given back without loss. */
bool given_back_whole(const json_t *reports);

#endif

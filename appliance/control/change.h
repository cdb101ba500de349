/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that people make over the web, or at the machine in the name of an account: there is one
 * draft of a policy. One person saves it, it is tried, another person who wrote nothing of it
 * approves it, and it is applied on trial. Each order waits until `accounts` has confirmed whose
 * session or login it is, and that the person has the right. Then it is carried out here, or passed
 * to the supervisor.
 *
 * An approval is for the texts of the draft as a replacement of the generation in force. If the
 * texts or the generation in force change, the approval ends.
 */
#ifndef SEKISHO_CONTROL_CHANGE_H
#define SEKISHO_CONTROL_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/control/asker.h"
#include "appliance/wire/orders.h"

struct control;
struct err;
struct msg;

struct typist; /* below */
struct change; /* change_private.h */

/* Reads the stored draft. To be called at the start, once events can be sent. 0 or negative
 * errno. */
int change_open(struct control *s, struct err *e);
/* Takes an order of mgmt (`t` NULL), or one that was typed at the machine. Takes its
 * descriptors. */
void change_ordered(struct control *s, struct asker a, const struct typist *t, struct msg *m);
/* Notes that the supervisor has read such an order. Returns who takes its answer. */
struct asker change_handed(struct control *s, struct asker a, enum change_order order, uint64_t revision);
/* Answers the supervisor's question whether such an order may be carried out, and with which
 * texts. */
void change_ground(struct control *s, struct msg *m);
/* Takes the answer that an order waits for, from accounts or the supervisor. `fd` stays the
 * caller's; -1 = none. */
void change_answered(struct control *s, struct asker a, int status, int fd);
/* The asker who waits for the order that this question belongs to; ASKER_NONE: nobody waits. */
struct asker change_asker(const struct control *s, const struct asker *a);
/* Answers with the draft, including its texts or only its state. */
void change_show(struct control *s, struct asker a, bool texts);
/* For `status`: the draft that waits for approval or for an apply; null: there is none. */
json_t *change_waits(const struct control *s);
/* To be called after each operation, because the draft's generation may have been reverted, or
 * another policy may be in force than the one on which the draft is based. */
void change_settle(struct control *s);
/* Whether the draft is not on disk, which is full or fails; it is tried again from time to time. */
bool change_unsaved(const struct control *s);
uint64_t change_next(const struct control *s);
void change_due(struct control *s, uint64_t now);
/* The asker of this order does not wait any more. Stops a check or dry run whose account is still
 * being looked up. */
void change_stop(struct control *s, const struct asker *a);
/* mgmt is gone: nobody waits for answers any more, and orders that were not begun are dropped. */
void change_forget(struct control *s);

#endif

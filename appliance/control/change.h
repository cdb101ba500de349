/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that people make over the web, or at the machine in the name of an account: one draft of a policy, saved by one, tried, approved by somebody who wrote none of it, applied on trial.
 * Nobody is believed that he is who he says: each order waits until `accounts` has said whose session or login it is and that he may. Then it is
 * either done here, or begun as the operation that it is.
 *
 * An approval is of these texts in the place of that generation: whatever changes one of the two ends it.
 */
#ifndef SEKISHO_CONTROL_CHANGE_H
#define SEKISHO_CONTROL_CHANGE_H

#include <stdbool.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/control/asker.h"
#include "appliance/wire/msg.h"

struct control; /* supervise.h */
struct typist;	/* people.h */
struct change;	/* of change.c */

/* At the start, once events can be sent: what lies in the state. 0 or negative errno. */
int change_open(struct control *s, struct err *e);
/* An order of mgmt's (`t` NULL), or typed at the machine. Takes its descriptors. */
void change_ordered(struct control *s, struct asker a, const struct typist *t, struct msg *m);
/* The supervisor carries it out: it is handed on, and what accounts says is asked there. */
bool change_is_boxs(unsigned order);
/* Such an order lies on this connection. */
void change_hand(struct control *s, struct asker a, enum change_order order, uint64_t revision, int fd, bool login);
/* May one of them go on, and with which texts? The supervisor asks, and hears. */
void change_ground(struct control *s, struct msg *m);
/* What an order waits for: accounts' word, or the supervisor's. `fd` stays the caller's; -1 = none. */
void change_answered(struct control *s, struct asker a, int status, int fd);
/* Who gave the order that this is the question of; ASKER_NONE: nobody any more. */
struct asker change_asker(const struct control *s, const struct asker *a);
/* The draft; with its texts, or where it stands alone. */
void change_show(struct control *s, struct asker a, bool texts);
/* After each operation: the draft's generation may have been given up, or another policy be in the place that it was written for. */
void change_settle(struct control *s);
/* The draft that stands here is not on disk (draft_unsaved), which is full or fails: once more. */
void change_save(struct control *s);
/* Who gave this order waits no longer: a check or dry run of which is not known yet who he is. */
void change_stop(struct control *s, const struct asker *a);
/* mgmt is gone: nobody waits for an answer any more, and what was not begun is not done. */
void change_forget(struct control *s);

#endif

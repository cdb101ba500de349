/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that people make over the web, or at the machine in the name of an account: one draft of a policy, saved by one, tried, approved by somebody who wrote none of it, applied on trial.
 * Nobody is believed that he is who he says: each order waits until `accounts` has said whose session or login it is and that he may. Then it is
 * either done here, or begun as the operation that it is.
 *
 * An approval is of these texts in the place of that generation: whatever changes one of the two ends it.
 */
#ifndef SEKISHO_SUPERVISE_CHANGE_H
#define SEKISHO_SUPERVISE_CHANGE_H

#include <stdbool.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/supervise/control.h"
#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */
struct op_end;	   /* operation.h */
struct op_ground;  /* operation.h */
struct change;	   /* of change.c */

/* At the start, once events can be sent: what lies in the state. 0 or negative errno. */
int change_open(struct supervisor *s, struct err *e);
/* An order of mgmt's (`t` NULL), or typed at the machine. Takes its descriptors. */
void change_ordered(struct supervisor *s, struct asker a, const struct typist *t, struct msg *m);
/* What accounts says to the question that an order waits for. `fd` stays the caller's; -1 = none. */
void change_judged(struct supervisor *s, struct asker a, int status, int fd);
/* The draft; with its texts, or where it stands alone. */
void change_show(struct supervisor *s, struct asker a, bool texts);
/* An operation of somebody's has ended; into its answer, if it is an order of an account. */
void change_finished(struct supervisor *s, const struct op_end *op, const struct asker *a, json_t *answer);
/* After each operation: the draft's generation may have been given up, or another policy be in the place that it was written for. */
void change_settle(struct supervisor *s);
/* The draft that stands here is not on disk (draft_unsaved), which is full or fails: once more. */
void change_save(struct supervisor *s);
/* Who gave this order waits no longer: a check or dry run of which is not known yet who he is. */
void change_stop(struct supervisor *s, const struct asker *a);
/* mgmt is gone: nobody waits for an answer any more, and what was not begun is not done. */
void change_forget(struct supervisor *s);

#endif

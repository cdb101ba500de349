/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders that change the policy in force, and what starts such a change by itself. Only one
 * operation runs at a time; another one waits or is refused.
 */
#ifndef SEKISHO_SUPERVISE_OPERATION_H
#define SEKISHO_SUPERVISE_OPERATION_H

#include <stdint.h>

#include "appliance/supervise/asker.h"
#include "appliance/supervise/op.h"

struct msg_change;
struct msg_ctl_release;
struct supervisor;

/*
 * An order to apply, try, confirm or roll back; it is answered now or later. `texts`: what to
 * apply, taken over; `agreed`: as in taking_agreed. `order->to`: the generation; 0 = the one on
 * trial. For a rollback, 0 is the confirmed generation while there is a trial, otherwise the last
 * one with another meaning; a second rollback in a row has to name its target.
 */
void op_ordered(struct supervisor *s, struct asker a, const char *by, struct op_ground g, int texts, int agreed,
		const struct msg_change *order);
/* The asker of this request does not wait any more. Its dry run is ended, also one that waits;
 * other operations go on. */
void op_stop(struct supervisor *s, uint32_t id);
/* Control has ended: there are no askers any more. Its errand, a dry run and an order that waits
 * are dropped; other operations go on. */
void op_forget(struct supervisor *s);
void op_boot(struct supervisor *s);
void op_trial_over(struct supervisor *s);
/* Devices appeared: those that belong to the box will be taken soon. */
void op_links(struct supervisor *s);

void op_enforce_ready(struct supervisor *s);
uint64_t op_due(struct supervisor *s, uint64_t now);
void op_release(struct supervisor *s, struct asker a, const char *by, const struct msg_ctl_release *order);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders of people that change the box. Control hands them on and is believed nothing of who gave them: one at the machine is read here, from the connection of
 * whoever gave it, of whom the kernel says who he is; one over the web comes with the secret of a session, and `accounts` says whose that is and that he may. Only
 * what the draft is, and who agreed to it, is control's word.
 */
#ifndef SEKISHO_SUPERVISE_ORDERS_H
#define SEKISHO_SUPERVISE_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */
struct slot;	   /* roles.h */
struct orders;	   /* of orders.c */

/* 0 or negative errno. */
int orders_open(struct supervisor *s, struct err *e);
/* Over the web. Takes its descriptors. False: there is no such order. */
bool orders_web(struct supervisor *s, struct msg *m);
/* What waits on this connection. */
void orders_handed(struct supervisor *s, struct msg *m);
/* What accounts says of who it is. */
void orders_judged(struct supervisor *s, struct msg *m);
/* What control says of the draft. */
void orders_grounded(struct supervisor *s, struct msg *m);
/* Nobody waits for the answer to this request of control: what only tries ends, and nothing else does. */
void orders_stop(struct supervisor *s, uint32_t id);
/* Accounts is gone, or control, which makes all of it void. */
void orders_gone(struct supervisor *s, const struct slot *sl);
void orders_due(struct supervisor *s, uint64_t now);
uint64_t orders_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders about the records over the web: to sign a review, to place or lift a hold. They go to the
 * supervisor, which asks `accounts` whose session it is, and names that account in the record.
 *
 * The same order of a session within a minute is taken for a double click or a repeated request,
 * and is not carried out.
 */
#ifndef SEKISHO_CONTROL_RECORDS_H
#define SEKISHO_CONTROL_RECORDS_H

#include "appliance/control/asker.h"

struct control;
struct err;
struct msg_body;

struct records; /* of records.c */

/* 0 or negative errno. */
int records_open(struct control *s, struct err *e);
/* An order of mgmt's. */
void records_ordered(struct control *s, struct asker a, const struct msg_body *order);
/* Takes the result of the order. `fd` stays the caller's; -1 = none. */
void records_answered(struct control *s, struct asker a, int status, int fd);
/* mgmt has ended, so nobody waits for an answer. */
void records_forget(struct control *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders about the records that people give over the web: a review that somebody signs, a hold, the end of one. As with changes (change.h) each waits until
 * `accounts` has said whose session it is and that he may; his account's name, and the address that he ordered from, go to whoever keeps the record.
 *
 * The same order once more within a minute is a hand that pressed twice or a request that was sent again, and is not done.
 */
#ifndef SEKISHO_CONTROL_RECORDS_H
#define SEKISHO_CONTROL_RECORDS_H

#include "appliance/base/err.h"
#include "appliance/control/asker.h"
#include "appliance/wire/msg.h"

struct control; /* supervise.h */
struct records; /* of records.c */

/* 0 or negative errno. */
int records_open(struct control *s, struct err *e);
/* An order of mgmt's. */
void records_ordered(struct control *s, struct asker a, const struct msg_records *m);
/* What accounts says of who it is, and then what became of the order. `fd` stays the caller's; -1 = none. */
void records_answered(struct control *s, struct asker a, int status, int fd);
/* mgmt is gone: nobody waits any more, and what was not begun is not done. */
void records_forget(struct control *s);

#endif

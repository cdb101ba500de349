/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders about the records, devices and alarms of attacks, which the journal or accounts carries
 * out (order_is_signed): how one over the web reads as one at the machine, and the name of its
 * giver in it. Pure.
 */
#ifndef SEKISHO_SUPERVISE_RECORDS_H
#define SEKISHO_SUPERVISE_RECORDS_H

#include <stdbool.h>

#include "appliance/wire/msg.h"

/* Where the order's text is, a reason or a note; NULL: it has none. */
const char **records_text(struct msg_body *b);
/* The order of a person over the web; its text stays where it is. False: it is none. */
bool records_of_web(const struct msg_records *m, struct msg_body *ret);
/*
 * Puts in who gives the order. `by`: the login at the machine, for an account "login/account";
 * `account`: "" = root, who may name another person. Over the web `by` is the account. False: the
 * order has the name of another account.
 */
bool records_sign(struct msg_body *b, bool web, const char *by, const char *account);

#endif

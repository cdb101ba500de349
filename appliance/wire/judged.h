/* SPDX-License-Identifier: Apache-2.0 */
/* Who gives an order, and to which process: the question to accounts about the person, and what its
 * answer says. */
#ifndef SEKISHO_WIRE_JUDGED_H
#define SEKISHO_WIRE_JUDGED_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

#define WHO_MOST 65536u /* bytes of an answer of accounts */

/* Whether it is an order that the journal, or accounts for a review, carries out and records under
 * the name of whoever gave it. Only the supervisor says that name, so it passes none of these on
 * from control. */
bool order_is_signed(const struct msg_body *b);
/* The right that such an order needs; RIGHT_COUNT: only root may give it. */
enum right order_signed_right(const struct msg_body *b);
/* Whether a person at the machine gives this order to the supervisor itself, on the sockets for
 * orders. All other questions and orders go to control. */
bool order_is_boxs(const struct msg_body *b);

/* Asks whose login this is, and whether that person has the right. */
struct msg_body judged_at_machine(enum right right, const char *login, uint32_t uid);
/* Asks whose session or login this is, and whether that person may give the order. `login`: an
 * order at the machine, with the uid of that login; NULL: over the web. */
struct msg_body judged_question(const struct msg_change *c, const char *login, uint32_t uid);
/* Reads the account's name from the answer, and the person's duties if ret_duties is not NULL.
 * False: it names nobody. */
bool judged_name(int fd, char ret_name[LOGIN_NAME], uint32_t *ret_duties);

#endif

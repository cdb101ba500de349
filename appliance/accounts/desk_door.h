/* SPDX-License-Identifier: Apache-2.0 */
/* Logins, and what a session or a token may do. */
#ifndef SEKISHO_ACCOUNTS_DESK_DOOR_H
#define SEKISHO_ACCOUNTS_DESK_DOOR_H

#include <stdint.h>

#include "appliance/accounts/desk.h"

struct hash_answer;
struct msg_at_machine;
struct msg_judge;
struct msg_login;
struct msg_logout;
struct msg_review;

void desk_hashed(struct desk *d, const struct hash_answer *a, struct moment now);
void desk_login(struct desk *d, uint32_t id, const struct msg_login *m, struct moment now);
void desk_judge(struct desk *d, uint32_t id, const struct msg_judge *m, struct moment now);
/* Answers what a person at the machine who is not root may do. */
void desk_at_machine(struct desk *d, uint32_t id, const struct msg_at_machine *m, struct moment now);
void desk_logout(struct desk *d, uint32_t id, const struct msg_logout *m, struct moment now);
/* Signs a review of the records in the name of an account that has this right. */
void desk_review(struct desk *d, uint32_t id, const struct msg_review *m, struct moment now);

#endif

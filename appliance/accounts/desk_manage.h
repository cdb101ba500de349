/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of an account manager about another account. */
#ifndef SEKISHO_ACCOUNTS_DESK_MANAGE_H
#define SEKISHO_ACCOUNTS_DESK_MANAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/desk.h"

struct hash_answer;
struct job;
struct msg_manage;

/* An order of an account manager about another account. */
void desk_manage(struct desk *d, uint32_t id, const struct msg_manage *m, struct moment now);

/* desk_manage.c, desk_passphrase.c: go on in the same way. True: the job is not over yet. */
bool desk_manage_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);

#endif

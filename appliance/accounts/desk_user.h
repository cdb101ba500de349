/* SPDX-License-Identifier: Apache-2.0 */
/* Orders about accounts, of root and over the web. */
#ifndef SEKISHO_ACCOUNTS_DESK_USER_H
#define SEKISHO_ACCOUNTS_DESK_USER_H

#include <stdint.h>

#include "appliance/accounts/desk.h"
#include "appliance/base/json.h"

struct hash_answer;
struct job;
struct msg_user;

void desk_user(struct desk *d, uint32_t id, const struct msg_user *m, struct moment now);

/* goes on with an order when its hash is there */
void desk_user_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* Carries out the job's order about the account that `said` names, in the name of `j->by` over the
 * web. The job is over unless it waits for a hash. */
void desk_user_over_web(struct desk *d, struct job *j, json_t *said, struct moment now);

#endif

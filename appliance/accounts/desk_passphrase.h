/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs for which a person types his passphrase again. */
#ifndef SEKISHO_ACCOUNTS_DESK_PASSPHRASE_H
#define SEKISHO_ACCOUNTS_DESK_PASSPHRASE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/desk.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/secret.h"
#include "appliance/base/messages.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

struct account;
struct addr;
struct hash_answer;
struct msg_passphrase;

/* A person changes his own passphrase. */
void desk_passphrase(struct desk *d, uint32_t id, const struct msg_passphrase *m, struct moment now);

bool desk_passphrase_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* Begins a job of a person with a session who has typed his passphrase again. NULL: he may not, or
 * has to try again, and was told so. */
struct job *desk_again(struct desk *d, uint32_t id, enum job_kind kind, const struct addr *from,
		       const uint8_t shown[DIGEST_BYTES], const uint8_t secret[SECRET_BYTES],
		       const uint8_t phrase[LOGIN_PHRASE], struct moment now);
/* Whether the typed passphrase is the account's. If it is not, the job is answered with `wrong`; if
 * its hash failed, with the request to try again. */
bool desk_typed_right(struct desk *d, struct job *j, const struct account *a, const struct hash_answer *h,
		      enum message wrong);
/* The account whose session began the job, if it still exists; otherwise the job is answered. */
struct account *desk_still_there(struct desk *d, const struct job *j, struct moment now);

#endif

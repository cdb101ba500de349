/* SPDX-License-Identifier: Apache-2.0 */
/* Security keys of a person: to register, to check. */
#ifndef SEKISHO_ACCOUNTS_DESK_KEY_H
#define SEKISHO_ACCOUNTS_DESK_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/desk.h"
#include "appliance/base/json.h"

struct account;
struct hash_answer;
struct job;
struct msg_challenge;
struct msg_key;
struct webauthn_answer;

/* Records that sekisho-webauthn is not installed or does not start. */
void desk_without_keys(struct desk *d);
/* Goes on with the job whose key sekisho-webauthn has checked. */
void desk_proved(struct desk *d, const struct webauthn_answer *a, struct moment now);
void desk_challenge(struct desk *d, uint32_t id, const struct msg_challenge *m, struct moment now);
void desk_key(struct desk *d, uint32_t id, const struct msg_key *m, struct moment now);

/* The keys of an account for its owner, with the ids by which a security key recognises that it is
 * registered already. */
json_t *desk_own_keys(const struct account *a);
/* the passphrase was right, so the answer of the security key is checked now. False:
 * the check cannot be asked for. */
bool desk_prove(struct desk *d, struct job *j, const struct account *a);
void desk_key_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);

#endif

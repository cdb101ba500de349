/* SPDX-License-Identifier: Apache-2.0 */
/* What the desk does for each kind of question, order and job; desk.h holds its state. */
#ifndef SEKISHO_ACCOUNTS_DESK_ORDERS_H
#define SEKISHO_ACCOUNTS_DESK_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/account.h"
#include "appliance/accounts/desk.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/secret.h"
#include "appliance/base/addr.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

struct desk_order;
struct hash_answer;

/* ---- Logins, and what a session or a token may do ------------------------------------------- */

void desk_hashed(struct desk *d, const struct hash_answer *a, struct moment now);
void desk_login(struct desk *d, uint32_t id, const struct msg_login *m, struct moment now);
void desk_judge(struct desk *d, uint32_t id, const struct msg_judge *m, struct moment now);
/* Answers what a person at the machine who is not root may do. */
void desk_at_machine(struct desk *d, uint32_t id, const struct msg_at_machine *m, struct moment now);
void desk_logout(struct desk *d, uint32_t id, const struct msg_logout *m, struct moment now);
/* Signs a review of the records in the name of an account that has this right. */
void desk_review(struct desk *d, uint32_t id, const struct msg_review *m, struct moment now);

/* ---- Orders about accounts, of root and over the web ---------------------------------------- */

void desk_user(struct desk *d, uint32_t id, const struct msg_user *m, struct moment now);

/* goes on with an order when its hash is there */
void desk_user_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* Carries out the job's order about the account that `said` names, in the name of `j->by` over the
 * web. The job is over unless it waits for a hash. */
void desk_user_over_web(struct desk *d, struct job *j, json_t *said, struct moment now);

/* ---- Orders of an account manager about another account ------------------------------------- */

/* An order of an account manager about another account. */
void desk_manage(struct desk *d, uint32_t id, const struct msg_manage *m, struct moment now);

/* desk_manage.c, desk_passphrase.c: go on in the same way. True: the job is not over yet. */
bool desk_manage_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);

/* ---- Certificates, logins and tokens of an account ------------------------------------------ */

/* orders of root; the removal of a certificate may also come from an account
 * manager. */
void desk_certificate_add(const struct desk_order *o, struct account *a);
void desk_certificate_remove(const struct desk_order *o, struct account *a);
void desk_login_add(const struct desk_order *o, struct account *a);
void desk_login_remove(const struct desk_order *o, struct account *a);
void desk_tokens(const struct desk_order *o);
void desk_token_add(const struct desk_order *o);
void desk_token_remove(const struct desk_order *o);

/* ---- Jobs for which a person types his passphrase again ------------------------------------- */

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

/* ---- Security keys of a person: to register, to check --------------------------------------- */

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

/* ---- Root's list of leaked passphrases, and phrases that are in it -------------------------- */

/* Root loads a list of leaked passphrases from a sealed memfd (-1 = none), which stays the
 * caller's. desk_leaked_step reads it. */
void desk_leaked_load(struct desk *d, uint32_t id, const struct msg_user *m, int memfd);
/* Reads the next piece of the list. To be called while desk_leaked_waits. */
bool desk_leaked_waits(const struct desk *d);
void desk_leaked_step(struct desk *d, struct moment now);

/* whether a typed phrase is in the list. */
bool desk_leaked(struct desk *d, const char *phrase);
/* Judges a new passphrase: by passphrase_judge, then by the list of leaked ones. False: it was
 * refused, and the answer says why. */
bool desk_phrase_good(struct desk *d, uint32_t id, const char *phrase, const char *name);
/* The typed passphrase is right, but leaked: from now on the session can only choose a new one.
 * Answers and records this. */
void desk_leaked_typed(struct desk *d, struct job *j, struct moment now);
json_t *desk_leaked_json(const struct desk *d);
/* Orders of root. */
void desk_leaked_show(struct desk *d, uint32_t id);
void desk_leaked_remove(const struct desk_order *o);

/* ---- The register of accounts of a backup --------------------------------------------------- */

/* Root replaces the register by that of a backup (a sealed memfd of the caller), or asks what that
 * would change. */
void desk_restore(struct desk *d, uint32_t id, const struct msg_user *m, int memfd);

/*
 * A job of the desk: a person over the web, whose phrase or factors take their time to be judged.
 */

struct job *desk_job(struct desk *d, uint32_t id);
bool desk_hash(struct desk *d, struct job *j, const char *phrase, const char *setting);
void desk_job_end(struct job *j);
/* A job for a person over the web. NULL: too many are asking, in total or from this address. He was
 * told to try again later. */
struct job *desk_stranger(struct desk *d, uint32_t id, const struct addr *from);
/* counts a failure; does not answer. */
void desk_failed(struct desk *d, struct job *j);
/* Ends a job that could not be judged: it does not count as a failure, and the person has to try
 * again. */
void desk_come_again(struct desk *d, struct job *j);
/* Begins a session for a person who has shown all factors. */
void desk_let_in(struct desk *d, const struct job *j, struct account *a, bool paper, struct moment now);

#endif

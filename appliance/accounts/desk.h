/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All decisions of the role accounts: who may log in, what a session or a token may do, what root
 * orders. It never waits: a child computes hashes and checks signatures, and the asker gets the
 * answer when the child has finished. Owns the book, the sessions and the counts of failures.
 * Answers and events are sent by the functions of struct desk_out, which the role or a test
 * provides. Time is a parameter of every call.
 */
#ifndef SEKISHO_ACCOUNTS_DESK_H
#define SEKISHO_ACCOUNTS_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/account.h"
#include "appliance/accounts/book.h"
#include "appliance/accounts/challenges.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/leaked.h"
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/passphrase.h"
#include "appliance/accounts/sessions.h"
#include "appliance/base/json.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

struct err;
struct event;
struct hash_question;
struct msg_accounts_status;
struct webauthn_question;

#define DESK_JOBS 16u
/* jobs for people over the web; the other jobs are for root */
#define DESK_LOGINS 12u
#define DESK_FROM_ONE 3u /* jobs for one address */
#define TOKEN_DAYS 90u	 /* the lifetime of a token if none is asked for */
#define TOKEN_DAYS_MOST 400u
/* The roles that a token may have: those without a right for whose use a person has to answer. */
#define TOKEN_DUTIES                                                                                                   \
	(UINT32_C(1) << DUTY_VIEWER | UINT32_C(1) << DUTY_AUDITOR | UINT32_C(1) << DUTY_LOG |                          \
	 UINT32_C(1) << DUTY_BACKUP | UINT32_C(1) << DUTY_DISPLAY)
/* The roles that a person may have. */
#define PERSON_DUTIES (DUTIES_ALL & ~(UINT32_C(1) << DUTY_DISPLAY))

struct moment {
	uint64_t ns;	 /* monotonic time since boot, which also counts while the machine sleeps */
	uint64_t wall_s; /* seconds since 1970 */
};

struct desk_out {
	void *ctx;
	/* Answers the question with this number. Takes the reference of `j`. */
	void (*answer)(void *ctx, uint32_t id, enum answer_status status, json_t *j);
	bool (*hash)(void *ctx, const struct hash_question *q);	     /* false: there is no room */
	bool (*prove)(void *ctx, const struct webauthn_question *q); /* false: there is no room */
	void (*event)(void *ctx, const struct event *e);
};

/* Root's list of leaked passphrases while it is being read. */
struct leaked_order {
	bool on;
	uint32_t id;
	char by[ACCOUNT_BY + 1];
};

struct desk {
	struct desk_out out;
	struct book book;
	struct leaked leaked;
	struct leaked_order leaked_order;
	struct sessions sessions;
	struct lockout lockout;
	struct job jobs[DESK_JOBS];
	struct challenges challenges;
	uint32_t last_hash, last_proof;
	char stranger[PASSPHRASE_HASH]; /* hash that is used for names without an account */
	bool damaged, unsaved;
	bool no_keys;			    /* signatures of security keys cannot be checked */
	uint64_t logins, refused, looked_s; /* looked_s: when unused accounts were last searched */
};

/* Opens the book in the folder. 0 or negative errno. */
int desk_open(struct desk *d, int dirfd, const struct desk_out *out, struct moment now, struct err *e);
void desk_status(const struct desk *d, struct moment now, struct msg_accounts_status *ret);
/* Searches unused accounts, once a day. */
void desk_look(struct desk *d, struct moment now);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that the role accounts decides: who is let in, what a session or a token may, what root orders. It never waits: a hash is asked for, or what a
 * security key has signed is looked at, and whoever asked is answered when that comes. Owns the book, the sessions and the counts of failures; answers and events leave by the
 * functions of struct desk_out, which a test gives it as well as the role. Time is given with every call.
 */
#ifndef SEKISHO_ACCOUNTS_DESK_H
#define SEKISHO_ACCOUNTS_DESK_H

#include "appliance/accounts/book.h"
#include "appliance/accounts/challenge.h"
#include "appliance/accounts/hasher.h"
#include "appliance/accounts/leaked.h"
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/passphrase.h"
#include "appliance/accounts/sessions.h"
#include "appliance/base/messages.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

#define DESK_JOBS 16u
#define DESK_LOGINS 12u	 /* of them for people over the web: root finds room whatever strangers do */
#define DESK_FROM_ONE 3u /* of those for one address */
#define TOKEN_DAYS 90u	 /* unless somebody says otherwise */
#define TOKEN_DAYS_MOST 400u
/* What a program may be given: nothing that a person has to answer for. */
#define TOKEN_DUTIES                                                                                                   \
	(UINT32_C(1) << DUTY_VIEWER | UINT32_C(1) << DUTY_AUDITOR | UINT32_C(1) << DUTY_LOG |                          \
	 UINT32_C(1) << DUTY_BACKUP)

struct moment {
	uint64_t ns;	 /* monotonic, of the boot: it goes on while the machine sleeps */
	uint64_t wall_s; /* seconds since 1970 */
};

struct desk_out {
	void *ctx;
	/* To the question of this number. Takes the reference. */
	void (*answer)(void *ctx, uint32_t id, enum answer_status status, json_t *j);
	bool (*hash)(void *ctx, const struct hash_question *q);	     /* false: there is no room */
	bool (*prove)(void *ctx, const struct webauthn_question *q); /* the same */
	void (*event)(void *ctx, const struct event *e);
};

enum job_kind { JOB_ORDER, JOB_LOGIN, JOB_KEY, JOB_MANAGE, JOB_PASSPHRASE };

struct job {
	bool used;
	enum job_kind kind;
	uint32_t hash_id, proof_id, id; /* of the question to the hasher, to sekisho-webauthn; of whom to answer */
	enum user_order order;
	struct addr from;
	bool locks, known; /* of a login or a key: this failure locks; there is such an account */
	char name[LOGIN_NAME + 1], by[ACCOUNT_BY + 1];
	enum proof proof_kind;
	enum key_order key_order;
	enum manage_order manage;
	bool leaked; /* the pass phrase that was typed is in the list of leaked ones; told once it was right */
	bool same;   /* the pass phrase that is to be the next is the present one */
	bool deed;   /* who orders is known and has typed his pass phrase: what is answered now is about the order */
	char label[LOGIN_LABEL + 1];
	char proof
		[WEBAUTHN_TEXT +
		 1]; /* of a login or a key; the text of an order over the web; the pass phrase that is to be the next */
	uint8_t secret[SECRET_BYTES];		 /* of the session, when it is about a key */
	uint8_t shown[DIGEST_BYTES];		 /* the certificate of the connection; zero = none */
	struct webauthn_key keys[WEBAUTHN_KEYS]; /* that the account had when they were looked through */
	char made[PASSPHRASE_MADE];		 /* a phrase that was made here, to be shown once */
	char hash[PASSPHRASE_HASH];		 /* of the account, when the login came */
	struct account draft;			 /* of one that is added */
};

/* Root's list of leaked pass phrases is on its way to the disk. */
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
	char stranger[PASSPHRASE_HASH]; /* what is hashed for a name that no account has */
	bool damaged, unsaved;
	bool no_keys;			    /* nobody looks at what security keys sign */
	uint64_t logins, refused, looked_s; /* looked: when unused accounts were last looked for */
};

/* Opens the book in the folder. 0 or negative errno. */
int desk_open(struct desk *d, int dirfd, const struct desk_out *out, struct moment now, struct err *e);
void desk_hashed(struct desk *d, const struct hash_answer *a, struct moment now);
/* There is no sekisho-webauthn, or it does not begin: recorded. */
void desk_without_keys(struct desk *d);
/* What sekisho-webauthn found. */
void desk_proved(struct desk *d, const struct webauthn_answer *a, struct moment now);
void desk_challenge(struct desk *d, uint32_t id, const struct msg_challenge *m, struct moment now);
void desk_key(struct desk *d, uint32_t id, const struct msg_key *m, struct moment now);
void desk_login(struct desk *d, uint32_t id, const struct msg_login *m, struct moment now);
void desk_judge(struct desk *d, uint32_t id, const struct msg_judge *m, struct moment now);
/* The same of somebody at the machine who is not root. */
void desk_at_machine(struct desk *d, uint32_t id, const struct msg_at_machine *m, struct moment now);
void desk_logout(struct desk *d, uint32_t id, const struct msg_logout *m, struct moment now);
/* An account manager orders something about somebody else. */
void desk_manage(struct desk *d, uint32_t id, const struct msg_manage *m, struct moment now);
/* Somebody takes another pass phrase for his own account. */
void desk_passphrase(struct desk *d, uint32_t id, const struct msg_passphrase *m, struct moment now);
void desk_user(struct desk *d, uint32_t id, const struct msg_user *m, struct moment now);
/* Root brings a list of leaked pass phrases, a sealed memfd, which stays the caller's; -1: none came along. Taken by desk_leaked_step. */
void desk_leaked_load(struct desk *d, uint32_t id, const struct msg_user *m, int memfd);
/* The next piece of it, while desk_leaked_waits. */
bool desk_leaked_waits(const struct desk *d);
void desk_leaked_step(struct desk *d, struct moment now);
/* Somebody has looked through the records, in the name of an account that may say so. */
void desk_review(struct desk *d, uint32_t id, const struct msg_review *m, struct moment now);
void desk_status(const struct desk *d, struct moment now, struct msg_accounts_status *ret);
/* Once a day: accounts that nobody uses. */
void desk_look(struct desk *d, struct moment now);

/* ---- shared by its files ------------------------------------------------------------------------------------------ */

struct job *desk_job(struct desk *d, uint32_t id);
bool desk_hash(struct desk *d, struct job *j, const char *phrase, const char *setting);
void desk_job_end(struct job *j);
/* To an order over the web that says by "done" whether it was. */
void desk_answer(struct desk *d, uint32_t id, enum answer_status status, json_t *j);
/* What went wrong, as a sentence in every language. */
void desk_refuse(struct desk *d, uint32_t id, enum answer_status status, enum message m, ...);
/* `from`, `object`, `before`, `after`, `by` may be NULL. */
void desk_event(struct desk *d, enum account_event what, const struct addr *from, const char *object,
		const char *before, const char *after, const char *by, uint64_t count);
bool desk_save(struct desk *d);
struct addr desk_from(uint8_t family, const uint8_t from[16]);
/* A text that ends at its first NUL, or with its field. */
void desk_copy_field(char *out, const uint8_t *field, size_t n);
/* A place for somebody over the web; NULL: so many are asking, or are at one address, that he has to come again. Has said so. */
struct job *desk_stranger(struct desk *d, uint32_t id, const struct addr *from);
/* desk.c: it has failed, and counts; no answer. */
void desk_failed(struct desk *d, struct job *j);
/* Nobody's fault: does not count, and he has to come again. */
void desk_come_again(struct desk *d, struct job *j);
/* Lets him in who has shown all that is asked for. */
void desk_let_in(struct desk *d, const struct job *j, struct account *a, bool paper, struct moment now);
/* `shown`: the certificate of the connection. A session that is used from elsewhere, or without its certificate, has ended. */
struct session *desk_session_at(struct desk *d, const uint8_t secret[SECRET_BYTES], const struct addr *from,
				const uint8_t shown[DIGEST_BYTES], struct moment now);
bool desk_same_hash(const char *a, const char *b);
/* Of one account for its bearer: with their ids, by which a key tells that it is registered already. */
json_t *desk_own_keys(const struct account *a);
void desk_nobody(struct desk *d, uint32_t id);
void desk_login_refused(struct desk *d, struct job *j);
/* One answer for all that can be wrong. */
void desk_say_refused(struct desk *d, uint32_t id);
/* desk_key.c: the pass phrase was right, and what the key said is looked at now. False: it cannot be. */
bool desk_prove(struct desk *d, struct job *j, const struct account *a);
void desk_key_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* desk_certificate.c: the pass phrase was right, and a certificate is to be the second factor. */
void desk_certificate_login(struct desk *d, struct job *j, struct account *a, struct moment now);
/* desk.c: what an account with these roles may, or the answer that it may not. `right` RIGHT_COUNT: nothing is to be done. Takes the reference. */
void desk_may(struct desk *d, uint32_t id, uint8_t right, const struct addr *from, const char *name, uint32_t duties,
	      json_t *who);
/* Orders of root: `said` is the order's object, `by` who gave it. */
void desk_certificate_add(struct desk *d, uint32_t id, struct account *a, const json_t *said, const char *by,
			  struct moment now);
/* `from`: where whoever ordered it over the web is; NULL = root. */
void desk_certificate_remove(struct desk *d, uint32_t id, struct account *a, const json_t *said, const char *by,
			     const struct addr *from, struct moment now);
/* desk_leaked.c: whether a phrase that somebody typed is in the list. */
bool desk_leaked(struct desk *d, const char *phrase);
/* passphrase_judge, and the list. */
enum passphrase desk_judge_phrase(struct desk *d, const char *phrase, const char *name);
/* The phrase that was typed for the job is right, and a leaked one: from now on the session opens nothing but the choice of another. Says and records so. */
void desk_leaked_typed(struct desk *d, struct job *j, struct moment now);
json_t *desk_leaked_json(const struct desk *d);
/* Orders of root. */
void desk_leaked_show(struct desk *d, uint32_t id);
void desk_leaked_remove(struct desk *d, uint32_t id, const char *by);
/* desk_login.c: orders of root */
void desk_login_add(struct desk *d, uint32_t id, struct account *a, const json_t *said, const char *by,
		    struct moment now);
void desk_login_remove(struct desk *d, uint32_t id, struct account *a, const char *by, struct moment now);
/* desk_user.c: the hash for an order has come */
void desk_user_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* desk_manage.c, desk_passphrase.c: the same; true: it is not over yet */
bool desk_manage_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
bool desk_passphrase_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* The job's order, about what `said` has, in the name of `j->by` over the web. It is over unless it waits for a hash. */
void desk_user_over_web(struct desk *d, struct job *j, json_t *said, struct moment now);
/* "viewer,ot_author": false for a word that is none, or an empty list. */
bool desk_read_duties(const char *list, uint32_t *ret);
/* Somebody who has a session begins something that takes his pass phrase again. NULL: he may not, or has to come again; has said so. */
struct job *desk_again(struct desk *d, uint32_t id, enum job_kind kind, const struct addr *from,
		       const uint8_t shown[DIGEST_BYTES], const uint8_t secret[SECRET_BYTES],
		       const uint8_t phrase[LOGIN_PHRASE], struct moment now);
/* Whose session it was when he began, if it still is; the answer is given when it is not. */
struct account *desk_still_there(struct desk *d, const struct job *j, struct moment now);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that the role accounts decides: who is let in, what a session or a token may, what root
 * orders. It never waits: when a hash or the check of a signature is needed, a child is asked, and
 * the asker gets the answer when the child's result comes. Owns the book, the sessions and the
 * counts of failures; answers and events leave by the functions of struct desk_out, which a test
 * gives it as well as the role. Time is given with every call.
 */
#ifndef SEKISHO_ACCOUNTS_DESK_H
#define SEKISHO_ACCOUNTS_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/book.h"
#include "appliance/accounts/passphrase.h"
#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/base/messages.h"
#include "appliance/wire/event.h"
#include "appliance/wire/leaked.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/webauthn.h"

/*
 * A process that makes hashes of passphrases, one after the other, so that the role goes on
 * answering meanwhile. It is forked before the role shuts itself in, has a user of its own, no file
 * and no capability, and keeps nothing: it is sent a phrase and a setting and says the hash. It
 * ends with the role, and the role ends with it.
 */

struct hash_question {
	uint32_t id;
	char phrase[PASSPHRASE_MOST + 1], setting[PASSPHRASE_HASH];
};

struct hash_answer {
	uint32_t id;
	bool ok;
	char hash[PASSPHRASE_HASH];
};

/* Forks; in the child this never returns. A SEQPACKET socket, owned by the caller, or
 * negative errno. */
int hasher_start(struct err *e);
/* False: it is gone, or so far behind that its socket is full. */
bool hasher_ask(int fd, const struct hash_question *q);
/* 1 = an answer, 0 = none yet, negative errno: it is gone. */
int hasher_answer(int fd, struct hash_answer *ret);

/*
 * Sessions of the web pages: in memory alone, so a start of the role ends them all. Each is known
 * by the digest of 256 random bits; it is bound to the address that it was opened from, ends 15
 * minutes after its last use and 8 hours after its beginning whatever is done, and a person has at
 * most SESSIONS_EACH, of which the oldest gives way. Monotonic time is given.
 */

#define SESSIONS_EACH 4u
#define SESSIONS_MOST (ACCOUNTS_MOST * SESSIONS_EACH)
#define SESSION_IDLE_NS (15ull * 60 * 1000000000)
#define SESSION_LIMIT_NS (8ull * 3600 * 1000000000)

struct session {
	char name[ACCOUNT_NAME + 1]; /* of the account; "" = free */
	/* by which people name it; never given twice in a life of the role */
	uint32_t number;
	uint8_t digest[DIGEST_BYTES];
	struct addr from;
	uint64_t begun, used; /* ns */
	uint64_t since;	      /* wall seconds, for people */
	bool pinned;	      /* it was opened by this certificate, and is nobody's without it */
	uint8_t pin[DIGEST_BYTES];
	/* the passphrase that was typed is a leaked one: it opens nothing but the choice
	 * of another */
	bool leaked;
};

struct sessions {
	uint32_t last;
	struct session all[SESSIONS_MOST];
};

/* A new one and its secret. NULL without randomness. */
struct session *sessions_begin(struct sessions *s, const char *name, const struct addr *from, uint64_t now,
			       uint64_t wall_s, uint8_t ret_secret[SECRET_BYTES]);
/* The live one of this secret, whatever address; NULL when there is none. Does not count as use. */
struct session *sessions_find(struct sessions *s, const uint8_t secret[SECRET_BYTES], uint64_t now);
bool session_alive(const struct session *x, uint64_t now);
void session_end(struct session *x);
/* How many live ones there are of an account, of all when `name` is NULL. */
size_t sessions_count(const struct sessions *s, const char *name, uint64_t now);
/* Ends all of an account; returns how many lived. */
size_t sessions_end_of(struct sessions *s, const char *name, uint64_t now);
/* All of them but his `own`, NULL = all. */
void sessions_end_others(struct sessions *s, const char *name, const struct session *own, uint64_t now);

/*
 * Failed logins: five within 15 minutes lock a name for 15 minutes, for the address that they came
 * from alone (of IPv6, its /64). So a stranger keeps nobody out, and the console is not asked here
 * at all. Names that no account has count alike: how long an answer takes or what it says tells
 * nobody which there are. Fixed memory: when all places are taken, the one that matters least gives
 * way. Time is given.
 */

#define LOCKOUT_FAILURES 5u
#define LOCKOUT_WINDOW_NS (15ull * 60 * 1000000000)
#define LOCKOUT_NS (15ull * 60 * 1000000000)
#define LOCKOUT_PLACES 1024u

struct lockout_entry {
	uint8_t key[16]; /* of name and network */
	bool taken;
	uint32_t n;			   /* failures below, the oldest first */
	uint64_t failed[LOCKOUT_FAILURES]; /* ns */
	uint64_t until;			   /* locked; 0 = not */
	uint64_t refused;		   /* while locked */
};

struct lockout {
	struct lockout_entry all[LOCKOUT_PLACES];
};

bool lockout_locked(struct lockout *l, const char *name, const struct addr *from, uint64_t now);
/* True when this failure locks. */
bool lockout_failed(struct lockout *l, const char *name, const struct addr *from, uint64_t now);
/* The last failure was none: nobody could tell. */
void lockout_take_back(struct lockout *l, const char *name, const struct addr *from);
/* A try while it was locked; true for the first and then each hundredth, which is worth
 * a record. */
bool lockout_refused(struct lockout *l, const char *name, const struct addr *from, uint64_t *ret_count);
void lockout_forget(struct lockout *l, const char *name, const struct addr *from);
size_t lockout_count(const struct lockout *l, uint64_t now); /* that are locked */

/*
 * The list of leaked passphrases (wire/leaked.h) that root has loaded, in a file of the accounts'
 * folder that stays on the disk: a phrase is looked for by a few reads. The file is held to its
 * form and digest when it is opened, and where it is read. One that is damaged is set aside and
 * there is none until another is loaded. Another list is taken a piece at a time, so that nobody
 * has to wait for it; until the last piece is on the disk the one before counts. Owns
 * its descriptors.
 */

#define LEAKED_BY 64u /* bytes, NUL included */

struct leaked {
	int dirfd, fd; /* dirfd is borrowed; fd -1 = there is no list */
	uint64_t count, loaded;
	char by[LEAKED_BY]; /* whose order that was; "" = nobody knows any more */
	bool damaged;	    /* one was set aside, and nobody has loaded or removed one since */
	/* Another that is being taken; `in` -1 = none. */
	int in, out;
	struct leaked_head head;
	uint64_t done;
	uint8_t chain[32], last[LEAKED_PREFIX];
	uint8_t block[LEAKED_BLOCK];
};

/* *ret_damaged: it was set aside, now or by an earlier start, and there is none since. 0; a
 * negative errno when it may be whole and cannot be looked at. */
int leaked_open(struct leaked *l, int dirfd, bool *ret_damaged, struct err *e);
/* True: this phrase is in the list. *ret_damaged: the list turned out to be damaged, and is
 * set aside. */
bool leaked_has(struct leaked *l, const char *phrase, bool *ret_damaged);
/* A sealed memfd, of which it makes a copy of its own. 0; -EBUSY: one is being taken; -EBADMSG: it
 * is no such list; another errno. */
int leaked_take(struct leaked *l, int memfd);
/* The next piece. 1: there are more; 0: it counts from now on, as of `wall_s`; negative errno: the
 * one before goes on. */
int leaked_step(struct leaked *l, uint64_t wall_s);
/* Whose order the list was that counts since the last piece: kept beside it, and a file of no other
 * list. Should that fail, nobody knows. */
void leaked_ordered_by(struct leaked *l, const char *by);
/* 0; -ENOENT: there is none; -EBUSY; another errno: it is still there. */
int leaked_remove(struct leaked *l);
void leaked_close(struct leaked *l);

/*
 * Challenges, which a security key signs so that what it signed is good once and now. Nothing is
 * kept of one that is given out, so strangers who ask for them take nobody's place: a challenge
 * says itself when it was made, and carries a proof, by a secret of this life of the role, that it
 * was made here and for which address. Kept is what was used, until it is too old anyway; only who
 * knows a passphrase uses one. Time is given.
 */

#define CHALLENGE_USED 1024u /* more than one child can hash passphrases for in that time */
#define CHALLENGE_SECRET 32u

struct challenges {
	uint8_t secret[CHALLENGE_SECRET];
	struct {
		uint8_t challenge[WEBAUTHN_CHALLENGE];
		uint64_t until; /* s; 0 = the place is free */
	} used[CHALLENGE_USED];
};

/* Both false without randomness. */
bool challenge_begin(struct challenges *c);
bool challenge_make(const struct challenges *c, const struct addr *from, uint64_t now_ns,
		    uint8_t ret[WEBAUTHN_CHALLENGE]);
/* Whether it is ours, for this address, young enough and not used yet; from now on it is. False
 * also when so many were used just now that no place is left. */
bool challenge_use(struct challenges *c, const struct addr *from, uint64_t now_ns,
		   const uint8_t challenge[WEBAUTHN_CHALLENGE]);

#define DESK_JOBS 16u
/* of them for people over the web: root finds room whatever strangers do */
#define DESK_LOGINS 12u
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
	/* of the question to the hasher, to sekisho-webauthn; of whom to answer */
	uint32_t hash_id, proof_id, id;
	enum user_order order;
	struct addr from;
	bool locks, known; /* of a login or a key: this failure locks; there is such an account */
	char name[LOGIN_NAME + 1], by[ACCOUNT_BY + 1];
	enum proof proof_kind;
	enum key_order key_order;
	enum manage_order manage;
	/* the passphrase that was typed is in the list of leaked ones; told once it was right */
	bool leaked;
	bool same; /* the passphrase that is to be the next is the present one */
	/* who orders is known and has typed his passphrase: what is answered now is about
	 * the order */
	bool deed;
	char label[LOGIN_LABEL + 1];
	/* of a login or a key; the text of an order over the web; the passphrase that is to be
	 * the next */
	char proof[WEBAUTHN_TEXT + 1];
	uint8_t secret[SECRET_BYTES]; /* of the session, when it is about a key */
	/* the certificate of the connection; zero = none */
	uint8_t shown[DIGEST_BYTES];
	/* that the account had when they were looked through */
	struct webauthn_key keys[WEBAUTHN_KEYS];
	char made[PASSPHRASE_MADE]; /* a phrase that was made here, to be shown once */
	char hash[PASSPHRASE_HASH]; /* of the account, when the login came */
	struct account draft;	    /* of one that is added */
	/* how far the code's time is from the box's clock; "" = it is no code of ours */
	char away[24];
};

/* Root's list of leaked passphrases is on its way to the disk. */
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
/* Somebody takes another passphrase for his own account. */
void desk_passphrase(struct desk *d, uint32_t id, const struct msg_passphrase *m, struct moment now);
void desk_user(struct desk *d, uint32_t id, const struct msg_user *m, struct moment now);
/* Root brings a list of leaked passphrases, a sealed memfd, which stays the caller's; -1: none
 * came along. Taken by desk_leaked_step. */
void desk_leaked_load(struct desk *d, uint32_t id, const struct msg_user *m, int memfd);
/* The next piece of it, while desk_leaked_waits. */
bool desk_leaked_waits(const struct desk *d);
void desk_leaked_step(struct desk *d, struct moment now);
/* Somebody has looked through the records, in the name of an account that may say so. */
void desk_review(struct desk *d, uint32_t id, const struct msg_review *m, struct moment now);
void desk_status(const struct desk *d, struct moment now, struct msg_accounts_status *ret);
/* Once a day: accounts that nobody uses. */
void desk_look(struct desk *d, struct moment now);

/* ---- shared by its files --------------------------------------------------------------------- */

#define DUTIES_TEXT 256

/* What root orders, or an account manager over the web. */
struct desk_order {
	struct desk *d;
	uint32_t id;
	const char *by;
	struct moment now;
	json_t *said;		 /* what the command line sent: an object of texts */
	struct job *job;	 /* of somebody over the web; NULL = root */
	const struct addr *from; /* where he is */
};

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
/* Keeps the change, or gives back what was and says so. */
bool desk_kept(struct desk *d, uint32_t id, struct account *a, const struct account *before);
/* A text of an order, "" when it has none. */
const char *desk_said(const json_t *said, const char *key);
/* What is longer than its place is cut. */
void desk_put(char *out, size_t size, const char *text);
struct addr desk_from(uint8_t family, const uint8_t from[16]);
/* A text that ends at its first NUL, or with its field. */
void desk_copy_field(char *out, const uint8_t *field, size_t n);
/* A place for somebody over the web; NULL: so many are asking, or are at one address, that he has
 * to come again. Has said so. */
struct job *desk_stranger(struct desk *d, uint32_t id, const struct addr *from);
/* desk.c: it has failed, and counts; no answer. */
void desk_failed(struct desk *d, struct job *j);
/* Nobody's fault: does not count, and he has to come again. */
void desk_come_again(struct desk *d, struct job *j);
/* Lets him in who has shown all that is asked for. */
void desk_let_in(struct desk *d, const struct job *j, struct account *a, bool paper, struct moment now);
/* `shown`: the certificate of the connection. A session that is used from elsewhere, or without its
 * certificate, has ended. */
struct session *desk_session_at(struct desk *d, const uint8_t secret[SECRET_BYTES], const struct addr *from,
				const uint8_t shown[DIGEST_BYTES], struct moment now);
bool desk_same_hash(const char *a, const char *b);
/* Of one account for its bearer: with their ids, by which a key tells that it is
 * registered already. */
json_t *desk_own_keys(const struct account *a);
void desk_nobody(struct desk *d, uint32_t id);
void desk_login_refused(struct desk *d, struct job *j);
/* One answer for all that can be wrong. */
void desk_say_refused(struct desk *d, uint32_t id);
/* desk_key.c: the passphrase was right, and what the key said is looked at now. False: it
 * cannot be. */
bool desk_prove(struct desk *d, struct job *j, const struct account *a);
void desk_key_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* desk_certificate.c: the passphrase was right, and a certificate is to be the second factor. */
void desk_certificate_login(struct desk *d, struct job *j, struct account *a, struct moment now);
/* desk.c: what an account with these roles may, or the answer that it may not. `right` RIGHT_COUNT:
 * nothing is to be done. Takes the reference. */
void desk_may(struct desk *d, uint32_t id, uint8_t right, const struct addr *from, const char *name, uint32_t duties,
	      json_t *who);
/* desk_leaked.c: whether a phrase that somebody typed is in the list. */
bool desk_leaked(struct desk *d, const char *phrase);
/* passphrase_judge, and the list. */
enum passphrase desk_judge_phrase(struct desk *d, const char *phrase, const char *name);
/* The phrase that was typed for the job is right, and a leaked one: from now on the session opens
 * nothing but the choice of another. Says and records so. */
void desk_leaked_typed(struct desk *d, struct job *j, struct moment now);
json_t *desk_leaked_json(const struct desk *d);
/* Orders of root. */
void desk_leaked_show(struct desk *d, uint32_t id);
void desk_leaked_remove(struct desk *d, uint32_t id, const char *by);
/* desk_certificate.c, desk_login.c, desk_token.c: orders of root, of which an account manager may
 * give the second. */
void desk_certificate_add(const struct desk_order *o, struct account *a);
void desk_certificate_remove(const struct desk_order *o, struct account *a);
void desk_login_add(const struct desk_order *o, struct account *a);
void desk_login_remove(const struct desk_order *o, struct account *a);
void desk_tokens(const struct desk_order *o);
void desk_token_add(const struct desk_order *o);
void desk_token_remove(const struct desk_order *o);
void desk_answer_account(const struct desk_order *o, const struct account *a);
/* desk_user.c: the hash for an order has come */
void desk_user_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* desk_manage.c, desk_passphrase.c: the same; true: it is not over yet */
bool desk_manage_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
bool desk_passphrase_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* The job's order, about what `said` has, in the name of `j->by` over the web. It is over unless it
 * waits for a hash. */
void desk_user_over_web(struct desk *d, struct job *j, json_t *said, struct moment now);
/* "viewer, ot_author" */
const char *desk_duties_text(uint32_t duties, char out[DUTIES_TEXT]);
/* "viewer,ot_author": false for a word that is none, or an empty list. */
bool desk_read_duties(const char *list, uint32_t *ret);
/* Somebody who has a session begins something that takes his passphrase again. NULL: he may not,
 * or has to come again; has said so. */
struct job *desk_again(struct desk *d, uint32_t id, enum job_kind kind, const struct addr *from,
		       const uint8_t shown[DIGEST_BYTES], const uint8_t secret[SECRET_BYTES],
		       const uint8_t phrase[LOGIN_PHRASE], struct moment now);
/* Whose session it was when he began, if it still is; the answer is given when it is not. */
struct account *desk_still_there(struct desk *d, const struct job *j, struct moment now);

#endif

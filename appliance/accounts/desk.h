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

/* What the role asks its child that hashes passphrases, and the answer. */

struct hash_question {
	uint32_t id;
	char phrase[PASSPHRASE_MOST + 1], setting[PASSPHRASE_HASH];
};

struct hash_answer {
	uint32_t id;
	bool ok;
	char hash[PASSPHRASE_HASH];
};

/*
 * Sessions of the web pages, in memory only: a restart of the role ends them all. A session is
 * identified by the digest of 256 random bits and bound to the address that it was opened from. It
 * ends 15 minutes after its last use, and at the latest 8 hours after its beginning. A person has
 * at most SESSIONS_EACH; beyond that the oldest one ends. Times are monotonic and parameters.
 */

#define SESSIONS_EACH 4u
#define SESSIONS_MOST (ACCOUNTS_MOST * SESSIONS_EACH)
#define SESSION_IDLE_NS (15ull * 60 * 1000000000)
#define SESSION_LIMIT_NS (8ull * 3600 * 1000000000)

struct session {
	char name[ACCOUNT_NAME + 1]; /* name of the account; "" = the entry is free */
	/* number by which people name it; not used twice until the role ends */
	uint32_t number;
	uint8_t digest[DIGEST_BYTES];
	struct addr from;
	uint64_t begun, used; /* ns */
	uint64_t since;	      /* wall seconds, for people */
	bool pinned;	      /* it was opened with this certificate, and is only valid with it */
	uint8_t pin[DIGEST_BYTES];
	/* the typed passphrase is a leaked one: the session can only choose another passphrase */
	bool leaked;
};

struct sessions {
	uint32_t last;
	struct session all[SESSIONS_MOST];
};

/* Begins a session and returns its secret. NULL without randomness. */
struct session *sessions_begin(struct sessions *s, const char *name, const struct addr *from, uint64_t now,
			       uint64_t wall_s, uint8_t ret_secret[SECRET_BYTES]);
/* The live session with this secret, whatever its address; NULL when there is none. Does not count
 * as use. */
struct session *sessions_find(struct sessions *s, const uint8_t secret[SECRET_BYTES], uint64_t now);
bool session_alive(const struct session *x, uint64_t now);
void session_end(struct session *x);
/* The number of live sessions of an account; of all accounts when `name` is NULL. */
size_t sessions_count(const struct sessions *s, const char *name, uint64_t now);
/* Ends all sessions of an account; returns how many were live. */
size_t sessions_end_of(struct sessions *s, const char *name, uint64_t now);
/* Ends all sessions of an account except `own` (NULL = really all). */
void sessions_end_others(struct sessions *s, const char *name, const struct session *own, uint64_t now);

/*
 * Failed logins: five within 15 minutes lock a name for 15 minutes, but only for the address that
 * they came from (for IPv6, its /64). So strangers cannot lock anybody out, and the console does
 * not use this at all. Names without an account are counted in the same way, so neither the time
 * nor the text of an answer shows which accounts exist. Memory is fixed: when all entries are in
 * use, the least important one is replaced. Time is a parameter.
 */

#define LOCKOUT_FAILURES 5u
#define LOCKOUT_WINDOW_NS (15ull * 60 * 1000000000)
#define LOCKOUT_NS (15ull * 60 * 1000000000)
#define LOCKOUT_PLACES 1024u

struct lockout_entry {
	uint8_t key[16]; /* digest of name and network */
	bool taken;
	uint32_t n;			   /* number of entries in `failed`, the oldest first */
	uint64_t failed[LOCKOUT_FAILURES]; /* ns */
	uint64_t until;			   /* ns: end of the lock; 0 = it is not locked */
	uint64_t refused;		   /* logins while it was locked */
};

struct lockout {
	struct lockout_entry all[LOCKOUT_PLACES];
};

bool lockout_locked(struct lockout *l, const char *name, const struct addr *from, uint64_t now);
/* Counts a failed login. True when it locks the name. */
bool lockout_failed(struct lockout *l, const char *name, const struct addr *from, uint64_t now);
/* Takes the last failure back: that login could not be judged, or was no guess. */
void lockout_take_back(struct lockout *l, const char *name, const struct addr *from);
/* Counts a login while the name is locked. True for the first one and then for each hundredth,
 * which have to be recorded. */
bool lockout_refused(struct lockout *l, const char *name, const struct addr *from, uint64_t *ret_count);
void lockout_forget(struct lockout *l, const char *name, const struct addr *from);
size_t lockout_count(const struct lockout *l, uint64_t now); /* the number of locked names */

/*
 * The list of leaked passphrases (wire/leaked.h) that root has loaded. It stays in a file in the
 * folder of accounts, and a phrase is searched with a few reads. Form and digest of the file are
 * checked when it is opened, and the form again where it is read. A damaged list is set aside, and
 * there is none until root loads another. A new list is read in pieces, so that nobody has to wait;
 * until its last piece is on the disk, the earlier list stays in use. Owns its descriptors.
 */

#define LEAKED_BY 64u /* bytes, NUL included */

struct leaked {
	int dirfd, fd; /* dirfd is borrowed; fd -1 = there is no list */
	uint64_t count, loaded;
	char by[LEAKED_BY]; /* who loaded the list; "" = not known any more */
	/* a damaged list was set aside, and none has been loaded or removed since */
	bool damaged;
	/* The new list that is being read; `in` -1 = none. */
	int in, out;
	struct leaked_head head;
	uint64_t done;
	uint8_t chain[32], last[LEAKED_PREFIX];
	uint8_t block[LEAKED_BLOCK];
};

/* *ret_damaged: a damaged list was set aside, now or at an earlier start, and there is no list. 0;
 * a negative errno when the list may be good but cannot be read. */
int leaked_open(struct leaked *l, int dirfd, bool *ret_damaged, struct err *e);
/* Whether the phrase is in the list. *ret_damaged: the list was found damaged and set aside. */
bool leaked_has(struct leaked *l, const char *phrase, bool *ret_damaged);
/* Begins to read a list from a sealed memfd, which is duplicated. 0; -EBUSY: another list is being
 * read; -EBADMSG: the list is not valid; another errno. */
int leaked_take(struct leaked *l, int memfd);
/* Reads the next piece. 1: there are more; 0: the new list is in use, loaded at `wall_s`; negative
 * errno: the earlier list stays in use. */
int leaked_step(struct leaked *l, uint64_t wall_s);
/* Stores who ordered the list that has just come into use, in a file that is valid for this list
 * only. If that fails, the name is not known later. */
void leaked_ordered_by(struct leaked *l, const char *by);
/* 0; -ENOENT: there is no list; -EBUSY: a new list is being read; another errno: the list is still
 * there. */
int leaked_remove(struct leaked *l);
void leaked_close(struct leaked *l);

/*
 * Challenges for security keys, which make each signature valid only once and only now. Challenges
 * that were handed out are not stored, so strangers cannot use up any room with requests: a
 * challenge contains its time and an authentication code over its time and the client's address.
 * The code is made with a secret of this run of the role. Only used challenges are stored, until
 * they are too old; only a person who knows a passphrase can use one. Time is a parameter.
 */

/* used challenges that are stored: more than the passphrases that the child can hash before a
 * challenge is too old */
#define CHALLENGE_USED 1024u
#define CHALLENGE_SECRET 32u

struct challenges {
	uint8_t secret[CHALLENGE_SECRET];
	struct {
		uint8_t challenge[WEBAUTHN_CHALLENGE];
		uint64_t until; /* seconds; 0 = the entry is free */
	} used[CHALLENGE_USED];
};

/* Both functions return false if there is no randomness. */
bool challenge_begin(struct challenges *c);
bool challenge_make(const struct challenges *c, const struct addr *from, uint64_t now_ns,
		    uint8_t ret[WEBAUTHN_CHALLENGE]);
/* Whether the challenge is ours, for this address, recent and unused. If so, it counts as used from
 * now on. False also when too many were used recently. */
bool challenge_use(struct challenges *c, const struct addr *from, uint64_t now_ns,
		   const uint8_t challenge[WEBAUTHN_CHALLENGE]);

/*
 * A text as a QR code (ISO/IEC 18004), by libqrencode. Only the modules are made; the page and the
 * command line draw them. Used by the role accounts for the secret of an authenticator; nothing of
 * the text stays in memory except the result. It allocates, so it must not be used in the packet
 * path.
 */

#define QR_TEXT 200u /* longest text in bytes */

/* The rows from the top, each a text of '0' (light) and '1' (dark), with as many characters as
 * there are rows: 21 to 57, without the light border. Owned by the caller. NULL: the text is empty
 * or longer than QR_TEXT, or memory is out; then only the text itself can be shown. */
json_t *qr_rows(const char *text);

#define DESK_JOBS 16u
/* jobs for people over the web; the other jobs are for root */
#define DESK_LOGINS 12u
#define DESK_FROM_ONE 3u /* jobs for one address */
#define TOKEN_DAYS 90u	 /* the lifetime of a token if none is asked for */
#define TOKEN_DAYS_MOST 400u
/* The roles that a token may have: those without a right for whose use a person has to answer. */
#define TOKEN_DUTIES                                                                                                   \
	(UINT32_C(1) << DUTY_VIEWER | UINT32_C(1) << DUTY_AUDITOR | UINT32_C(1) << DUTY_LOG |                          \
	 UINT32_C(1) << DUTY_BACKUP)

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

enum job_kind { JOB_ORDER, JOB_LOGIN, JOB_KEY, JOB_MANAGE, JOB_PASSPHRASE };

struct job {
	bool used;
	enum job_kind kind;
	/* numbers of the question to the hasher, of the one to sekisho-webauthn, and of the
	 * question to be answered */
	uint32_t hash_id, proof_id, id;
	enum user_order order;
	struct addr from;
	/* for a login or a key. `locks`: this failure locks the name; `known`: the account
	 * exists */
	bool locks, known;
	char name[LOGIN_NAME + 1], by[ACCOUNT_BY + 1];
	enum proof proof_kind;
	enum key_order key_order;
	enum manage_order manage;
	/* the typed passphrase is in the list of leaked ones; the person is told only if it is
	 * right */
	bool leaked;
	bool same; /* the new passphrase equals the present one */
	/* the person was identified and has typed his passphrase, so from now on the answer is
	 * about the order */
	bool deed;
	char label[LOGIN_LABEL + 1];
	/* what a key or certificate proves; the text of an order over the web; or the new
	 * passphrase */
	char proof[WEBAUTHN_TEXT + 1];
	uint8_t secret[SECRET_BYTES]; /* secret of the session, if the job is about a key */
	/* digest of the connection's certificate; zero = none */
	uint8_t shown[DIGEST_BYTES];
	/* the account's keys when the check began */
	struct webauthn_key keys[WEBAUTHN_KEYS];
	char made[PASSPHRASE_MADE]; /* a generated passphrase, to be shown once */
	char hash[PASSPHRASE_HASH]; /* the account's hash when the login began */
	struct account draft;	    /* the account that is being added */
	/* difference between the code's time and the box's clock; "" = the code is not ours */
	char away[24];
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
void desk_hashed(struct desk *d, const struct hash_answer *a, struct moment now);
/* Records that sekisho-webauthn is not installed or does not start. */
void desk_without_keys(struct desk *d);
/* Goes on with the job whose key sekisho-webauthn has checked. */
void desk_proved(struct desk *d, const struct webauthn_answer *a, struct moment now);
void desk_challenge(struct desk *d, uint32_t id, const struct msg_challenge *m, struct moment now);
void desk_key(struct desk *d, uint32_t id, const struct msg_key *m, struct moment now);
void desk_login(struct desk *d, uint32_t id, const struct msg_login *m, struct moment now);
void desk_judge(struct desk *d, uint32_t id, const struct msg_judge *m, struct moment now);
/* Answers what a person at the machine who is not root may do. */
void desk_at_machine(struct desk *d, uint32_t id, const struct msg_at_machine *m, struct moment now);
void desk_logout(struct desk *d, uint32_t id, const struct msg_logout *m, struct moment now);
/* An order of an account manager about another account. */
void desk_manage(struct desk *d, uint32_t id, const struct msg_manage *m, struct moment now);
/* A person changes his own passphrase. */
void desk_passphrase(struct desk *d, uint32_t id, const struct msg_passphrase *m, struct moment now);
void desk_user(struct desk *d, uint32_t id, const struct msg_user *m, struct moment now);
/* Root loads a list of leaked passphrases from a sealed memfd (-1 = none), which stays the
 * caller's. desk_leaked_step reads it. */
void desk_leaked_load(struct desk *d, uint32_t id, const struct msg_user *m, int memfd);
/* Reads the next piece of the list. To be called while desk_leaked_waits. */
bool desk_leaked_waits(const struct desk *d);
void desk_leaked_step(struct desk *d, struct moment now);
/* Root replaces the register by that of a backup (a sealed memfd of the caller), or asks what that
 * would change. */
void desk_restore(struct desk *d, uint32_t id, const struct msg_user *m, int memfd);
/* Signs a review of the records in the name of an account that has this right. */
void desk_review(struct desk *d, uint32_t id, const struct msg_review *m, struct moment now);
void desk_status(const struct desk *d, struct moment now, struct msg_accounts_status *ret);
/* Searches unused accounts, once a day. */
void desk_look(struct desk *d, struct moment now);

/* ---- shared by its files --------------------------------------------------------------------- */

#define DUTIES_TEXT 256

/* An order of root, or of an account manager over the web. */
struct desk_order {
	struct desk *d;
	uint32_t id;
	enum user_order order;
	const char *by;
	struct moment now;
	json_t *said;		 /* the texts of the order, as an object */
	struct job *job;	 /* the job of an order over the web; NULL = an order of root */
	const struct addr *from; /* address of the person who orders */
};

struct job *desk_job(struct desk *d, uint32_t id);
bool desk_hash(struct desk *d, struct job *j, const char *phrase, const char *setting);
void desk_job_end(struct job *j);
/* Answers an order over the web; "done" says whether it was carried out. */
void desk_answer(struct desk *d, uint32_t id, enum answer_status status, json_t *j);
/* Answers with an error, as a sentence in every language. */
void desk_refuse(struct desk *d, uint32_t id, enum answer_status status, enum message m, ...);
/* What an event of the register says besides its code; NULL or 0 = nothing. `count`: 0 means 1. */
struct account_note {
	const struct addr *from;
	const char *object, *before, *after, *by;
	uint64_t count;
};
void desk_event(struct desk *d, enum account_event what, struct account_note n);
bool desk_save(struct desk *d);
/* Saves the change; if that fails, restores the earlier state and answers with the error. */
bool desk_kept(struct desk *d, uint32_t id, struct account *a, const struct account *before);
/* What is recorded of a change of an account, and whether its sessions end. */
struct account_change {
	enum account_event what;
	const char *before, *after; /* NULL = none */
	bool shuts_out;
};
/* Saves the change of an account, records it and answers with the account. If it cannot be saved,
 * the account becomes `before` again, and the answer says so. Wipes `before`. */
void desk_changed(const struct desk_order *o, struct account *a, struct account *before, struct account_change c);
/* A text of an order; "" when it has none. */
const char *desk_said(const json_t *said, const char *key);
/* Copies a text; cuts what is too long. */
void desk_put(char *out, size_t size, const char *text);
struct addr desk_from(uint8_t family, const uint8_t from[16]);
/* Copies a text that ends at its first NUL, or with its field. */
void desk_copy_field(char *out, const uint8_t *field, size_t n);
/* A job for a person over the web. NULL: too many are asking, in total or from this address. He was
 * told to try again later. */
struct job *desk_stranger(struct desk *d, uint32_t id, const struct addr *from);
/* desk.c: counts a failure; does not answer. */
void desk_failed(struct desk *d, struct job *j);
/* Ends a job that could not be judged: it does not count as a failure, and the person has to try
 * again. */
void desk_come_again(struct desk *d, struct job *j);
/* Begins a session for a person who has shown all factors. */
void desk_let_in(struct desk *d, const struct job *j, struct account *a, bool paper, struct moment now);
/* The session of this secret. `shown`: certificate of the connection. If the session is used from
 * another address or without its certificate, it ends. */
struct session *desk_session_at(struct desk *d, const uint8_t secret[SECRET_BYTES], const struct addr *from,
				const uint8_t shown[DIGEST_BYTES], struct moment now);
/* The account of the session with this secret. NULL: there is no such session, or its account is
 * disabled; the asker was told so. */
struct account *desk_person(struct desk *d, uint32_t id, const uint8_t secret[SECRET_BYTES], const struct addr *from,
			    const uint8_t shown[DIGEST_BYTES], struct moment now, struct session **ret);
bool desk_same_hash(const char *a, const char *b);
/* The keys of an account for its owner, with the ids by which a security key recognises that it is
 * registered already. */
json_t *desk_own_keys(const struct account *a);
void desk_nobody(struct desk *d, uint32_t id);
void desk_login_refused(struct desk *d, struct job *j);
/* All errors of a login get this one answer. */
void desk_say_refused(struct desk *d, uint32_t id);
/* desk_key.c: the passphrase was right, so the answer of the security key is checked now. False:
 * the check cannot be asked for. */
bool desk_prove(struct desk *d, struct job *j, const struct account *a);
void desk_key_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* desk.c: answers what an account with these duties may do, or refuses if it lacks `right`.
 * RIGHT_COUNT: no right is needed. Takes the reference. */
void desk_may(struct desk *d, uint32_t id, uint8_t right, const struct addr *from, const char *name, uint32_t duties,
	      json_t *who);
/* desk_leaked.c: whether a typed phrase is in the list. */
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
/* desk_enrol.c: orders of root; the removal of a certificate may also come from an account
 * manager. */
void desk_certificate_add(const struct desk_order *o, struct account *a);
void desk_certificate_remove(const struct desk_order *o, struct account *a);
void desk_login_add(const struct desk_order *o, struct account *a);
void desk_login_remove(const struct desk_order *o, struct account *a);
void desk_tokens(const struct desk_order *o);
void desk_token_add(const struct desk_order *o);
void desk_token_remove(const struct desk_order *o);
void desk_answer_account(const struct desk_order *o, const struct account *a);
/* desk_user.c: goes on with an order when its hash is there */
void desk_user_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* desk_manage.c, desk_passphrase.c: go on in the same way. True: the job is not over yet. */
bool desk_manage_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
bool desk_passphrase_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now);
/* Carries out the job's order about the account that `said` names, in the name of `j->by` over the
 * web. The job is over unless it waits for a hash. */
void desk_user_over_web(struct desk *d, struct job *j, json_t *said, struct moment now);
/* "viewer, ot_author" */
const char *desk_duties_text(uint32_t duties, char out[DUTIES_TEXT]);
/* Reads a list such as "viewer,ot_author". False for unknown words, or an empty list. */
bool desk_read_duties(const char *list, uint32_t *ret);
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

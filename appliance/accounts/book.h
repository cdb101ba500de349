/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of accounts and API tokens, in memory and in one file of the role's folder. The file
 * has a first line with the digest of the rest, then JSON, and is replaced in one rename. A file
 * that cannot be read is set aside: the book is then empty, nobody can log in over the web, and new
 * accounts are made at the console. Owns its entries; times are seconds since 1970.
 */
#ifndef SEKISHO_ACCOUNTS_BOOK_H
#define SEKISHO_ACCOUNTS_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/passphrase.h"
#include "appliance/accounts/secret.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/logins.h"
#include "appliance/wire/webauthn.h"

/*
 * One-time codes by the clock (RFC 6238: SHA-1, 30 s, six digits, as in every authenticator), by
 * liboath. Pure: the time and the step of the last used code are parameters, which the caller
 * stores.
 */

#define TOTP_SECRET 20u /* bytes */
#define TOTP_DIGITS 6u
#define TOTP_STEP_S 30u
#define TOTP_SLACK 1u /* steps by which a person's clock may be wrong */
/* steps within which a code is recognised as one of a wrong clock: ten minutes */
#define TOTP_AWAY 20u

/* The code of a step; `out` has TOTP_DIGITS + 1 bytes. False when the library fails. */
bool totp_code(const uint8_t secret[TOTP_SECRET], uint64_t step, char out[TOTP_DIGITS + 1]);
/*
 * Whether `code` belongs to the present step or to one of `slack` steps before or after it, and to
 * a later step than `last`, so that no code can be used twice. With TOTP_SLACK a found code is
 * valid; the caller has to store *ret_step before it lets the person in. With TOTP_AWAY a found
 * code only shows that a clock is wrong, and is not valid.
 */
bool totp_found(const uint8_t secret[TOTP_SECRET], const char *code, uint64_t wall_s, uint64_t slack, uint64_t last,
		uint64_t *ret_step);

#define BOOK_FILE_MOST (1u << 20) /* bytes */
#define ACCOUNTS_MOST 64u
#define TOKENS_MOST 32u
#define ACCOUNT_FULL 96u    /* bytes */
#define ACCOUNT_REASON 200u /* bytes */
#define ACCOUNT_BY 63u	    /* bytes of the name of a login of the machine */
#define RECOVERY_CODES 10u
#define RECOVERY_BYTES 10u
#define TOKEN_ID 8u /* digits by which people name a token */
#define UNUSED_S (30ull * 86400)
/* seconds for which a passphrase that somebody else has seen can be used */
#define HANDED_S (7ull * 86400)
#define ACCOUNT_SEEN 17u /* bytes of account_seen's text, including its NUL */

#define KEY_LABEL 48u /* bytes of the label by which people distinguish their keys */
#define PINS_EACH 4u  /* certificates of an account */
/* bytes of the handle by which security keys distinguish accounts, at all boxes of a site */
#define ACCOUNT_HANDLE 16u

/* A security key. */
struct key {
	char label[KEY_LABEL + 1];
	struct webauthn_key public;
	/* the number of signatures that the key reported last; always 0 = it does not count */
	uint32_t count;
	uint64_t since, used;
};

/*
 * A TLS client certificate as a second factor. Only this certificate is accepted, not a later one
 * for the same key. So the expiry date that was read at the enrolment stays valid.
 */
struct pin {
	char label[KEY_LABEL + 1];
	/* SHA-256 of the certificate in DER; never zero, because zero stands for no certificate */
	uint8_t digest[DIGEST_BYTES];
	/* SHA-256 of its public key, which belongs to one account only */
	uint8_t public[DIGEST_BYTES];
	uint64_t since, until, used;
};

struct account {
	char name[ACCOUNT_NAME + 1], full[ACCOUNT_FULL + 1], reason[ACCOUNT_REASON + 1], by[ACCOUNT_BY + 1];
	uint32_t duties;
	uint64_t since, used; /* used: time of the last login; 0 = never */
	bool disabled;
	uint64_t disabled_since;
	char disabled_by[ACCOUNT_BY + 1];
	uint64_t phrase_since;
	/* an account manager has made its passphrase and seen it: a login with it can only choose
	 * another passphrase */
	bool handed;
	char hash[PASSPHRASE_HASH];
	bool no_totp; /* no authenticator: keys or paper codes are the second factor */
	uint8_t totp[TOTP_SECRET];
	uint64_t totp_step; /* step of the last used code */
	/* step of the last code that was refused because of a wrong clock: this code stays invalid,
	 * even when its time comes. 0 = none; in memory only */
	uint64_t totp_told;
	uint8_t recovery[RECOVERY_CODES][DIGEST_BYTES];
	uint32_t recovery_left;
	uint8_t handle[ACCOUNT_HANDLE];
	size_t n_keys;
	struct key keys[WEBAUTHN_KEYS];
	size_t n_pins;
	struct pin pins[PINS_EACH];
	/* the login at the machine that this account belongs to; "" = none */
	char login[LOGIN_MOST + 1];
	/* uid of that login when it was registered: with another uid it is another login */
	uint32_t login_uid;
};

struct token {
	char id[TOKEN_ID + 1], label[ACCOUNT_REASON + 1], by[ACCOUNT_BY + 1];
	uint32_t duties;
	uint64_t since, until, used;
	uint8_t digest[DIGEST_BYTES];
	bool pinned; /* can only be used together with this certificate */
	uint8_t pin[DIGEST_BYTES];
};

/* The setting by which one person is enough for a policy. Normally a policy from the web is applied
 * only when somebody else than its authors has approved it; a small site may switch that off. */
struct one_person {
	bool enough; /* one person is enough; then the other members are valid */
	char reason[ACCOUNT_REASON + 1], by[ACCOUNT_BY + 1];
	uint64_t since;
};

struct book {
	int dirfd; /* borrowed */
	struct one_person one_person;
	size_t n_accounts, n_tokens;
	struct account accounts[ACCOUNTS_MOST];
	struct token tokens[TOKENS_MOST];
};

enum book_found { BOOK_READ, BOOK_NEW, BOOK_DAMAGED };

/* Reads the book. Returns 0, or negative errno when memory or descriptors are short (the file may
 * be good) or a damaged file could not be set aside. *e always says what was wrong with the
 * file. */
int book_open(int dirfd, struct book *ret, enum book_found *ret_found, struct err *e);
/* Reads the bytes of that file. 0; -EBADMSG: it is not a valid book; -ENOMEM. Pure; *ret is only
 * valid after 0. */
int book_of_file(const uint8_t *p, size_t n, struct book *ret, struct err *e);
/* 0 or negative errno; the book in memory is not changed. */
int book_save(const struct book *b, struct err *e);
void book_wipe(struct book *b);

struct account *book_account(struct book *b, const char *name);
struct token *book_token(struct book *b, const char *id);
/* The unexpired token with this secret, whatever its rights; NULL when there is none. */
struct token *book_token_of(struct book *b, const uint8_t secret[SECRET_BYTES], uint64_t now);
/* Adds an entry at the end; NULL when the book is full. */
struct account *book_add(struct book *b);
struct token *book_add_token(struct book *b);
void book_remove(struct book *b, struct account *a);
void book_remove_token(struct book *b, struct token *t);

/* A short digest of what an account manager sees of an account. His order contains it, so that he
 * cannot undo what somebody else has changed meanwhile. */
void account_seen(const struct account *a, char out[ACCOUNT_SEEN]);
/* Whether the account's passphrase was handed out over HANDED_S ago and not changed since. */
bool account_handed_over(const struct account *a, uint64_t now);
/* Whether an enabled account was neither used nor made in the last 30 days. */
bool account_unused(const struct account *a, uint64_t now);
/* Makes new recovery codes, each a text, and stores their digests in the account. False without
 * randomness; then nothing was changed. */
#define RECOVERY_TEXT 20u
bool account_recovery(struct account *a, char out[RECOVERY_CODES][RECOVERY_TEXT]);
/* Removes the recovery code from the account, so that it can be used once. */
bool account_use_recovery(struct account *a, const char *code);

/* The account's key with this label; NULL when there is none. */
struct key *account_key(struct account *a, const char *label);
void account_remove_key(struct account *a, struct key *k);
/* The account with this key id; NULL when there is none. */
const struct account *book_key_owner(const struct book *b, const struct webauthn_key *k);

/* The account's certificate with this label or digest; NULL when there is none. */
struct pin *account_pin(struct account *a, const char *label);
struct pin *account_pin_of(struct account *a, const uint8_t digest[DIGEST_BYTES]);
void account_remove_pin(struct account *a, struct pin *p);
/* The account whose certificate has this public key; NULL when there is none. */
const struct account *book_pin_owner(const struct book *b, const uint8_t public[DIGEST_BYTES]);
/* The account with this login, by name or by uid; NULL when there is none. */
struct account *book_login_owner(struct book *b, const char *login, uint32_t uid);
/* Reads a digest of 64 digits that are not all 0. */
bool pin_read(const char *text, uint8_t out[DIGEST_BYTES]);

/* For people: an account, a token, an account's keys; without secrets or hashes of them. */
json_t *book_account_json(const struct account *a, uint64_t now);
json_t *book_token_json(const struct token *t, uint64_t now);
json_t *book_keys_json(const struct account *a);
json_t *book_pins_json(const struct account *a, uint64_t now);
json_t *duties_json(uint32_t duties);
json_t *rights_json(uint32_t rights);
json_t *book_approval_json(const struct book *b);

/* Whether both accounts are equal, except for the fields that a login changes. */
bool account_same(const struct account *a, const struct account *b);

/* The whole book with its secrets, as in the file. */
json_t *book_to_json(const struct book *b);
/* false: not a valid book, and *ret must not be used */
bool book_of_json(const json_t *j, struct book *ret);

/* The words for the kinds of keys, in texts for people and in the register's file. */
extern const char *const webauthn_kind_words[WEBAUTHN_KINDS];

#endif

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
 * One-time codes by the clock (RFC 6238: SHA-1, 30 s, six digits, as every authenticator has it),
 * by liboath. Pure: the time is given, and so is what was used last; the caller keeps both.
 */

#define TOTP_SECRET 20u /* bytes */
#define TOTP_DIGITS 6u
#define TOTP_STEP_S 30u
#define TOTP_SLACK 1u /* steps that a person's clock may be early or late */
#define TOTP_AWAY 20u /* ... that are told from a wrong code: ten minutes */

/* The code of a step; `out` has TOTP_DIGITS + 1 bytes. False when the library would not. */
bool totp_code(const uint8_t secret[TOTP_SECRET], uint64_t step, char out[TOTP_DIGITS + 1]);
/*
 * Whether `code` is that of now or of at most `slack` steps before or after it, and of a later one
 * than `last`: so none is ever good twice, nor one that is older than one that was used. With
 * TOTP_SLACK it lets in, and *ret_step is then what the caller has to keep before that. With
 * TOTP_AWAY it tells of a clock that is wrong, and lets nobody in.
 */
bool totp_found(const uint8_t secret[TOTP_SECRET], const char *code, uint64_t wall_s, uint64_t slack, uint64_t last,
		uint64_t *ret_step);

#define ACCOUNTS_MOST 64u
#define TOKENS_MOST 32u
#define ACCOUNT_FULL 96u    /* bytes */
#define ACCOUNT_REASON 200u /* bytes */
#define ACCOUNT_BY 63u	    /* bytes: a login of the machine */
#define RECOVERY_CODES 10u
#define RECOVERY_BYTES 10u
#define TOKEN_ID 8u /* digits by which people name it */
#define UNUSED_S (30ull * 86400)
#define HANDED_S (7ull * 86400) /* for so long a passphrase that somebody else has seen lets in */
#define ACCOUNT_SEEN 17u	/* as a text, with its NUL */

#define KEY_LABEL 48u	   /* bytes: by which people tell their keys apart */
#define PINS_EACH 4u	   /* certificates of an account */
#define ACCOUNT_HANDLE 16u /* bytes: by which keys tell accounts apart, at all boxes of a site */

/* A security key. */
struct key {
	char label[KEY_LABEL + 1];
	struct webauthn_key public;
	uint32_t count; /* of its signatures, as it said last; 0 for good = it does not count */
	uint64_t since, used;
};

/*
 * A TLS client certificate by which somebody comes in: this one, byte for byte, and none that its
 * bearer or anybody else made anew over the same key. So its end is what was read when it
 * was enrolled.
 */
struct pin {
	char label[KEY_LABEL + 1];
	/* SHA-256 of it as DER; never zero, which is what whoever shows none has */
	uint8_t digest[DIGEST_BYTES];
	uint8_t public[DIGEST_BYTES]; /* of its public key, which is one account's */
	uint64_t since, until, used;
};

struct account {
	char name[ACCOUNT_NAME + 1], full[ACCOUNT_FULL + 1], reason[ACCOUNT_REASON + 1], by[ACCOUNT_BY + 1];
	uint32_t duties;
	uint64_t since, used; /* used: the last login; 0 = none */
	bool disabled;
	uint64_t disabled_since;
	char disabled_by[ACCOUNT_BY + 1];
	uint64_t phrase_since;
	/* its passphrase was made by an account manager, who has seen it: it opens nothing but the
	 * choice of another */
	bool handed;
	char hash[PASSPHRASE_HASH];
	bool no_totp; /* taken away; there is a key instead */
	uint8_t totp[TOTP_SECRET];
	uint64_t totp_step; /* of the last code that was used */
	/* of the last code that was refused as one of another time: it lets in no more, even when
	 * its time comes. 0 = none; in memory alone */
	uint64_t totp_told;
	uint8_t recovery[RECOVERY_CODES][DIGEST_BYTES];
	uint32_t recovery_left;
	uint8_t handle[ACCOUNT_HANDLE];
	size_t n_keys;
	struct key keys[WEBAUTHN_KEYS];
	size_t n_pins;
	struct pin pins[PINS_EACH];
	/* of the machine, by which it uses the command line; "" = none */
	char login[LOGIN_MOST + 1];
	/* its number when it was registered: another one is another login */
	uint32_t login_uid;
};

struct token {
	char id[TOKEN_ID + 1], label[ACCOUNT_REASON + 1], by[ACCOUNT_BY + 1];
	uint32_t duties;
	uint64_t since, until, used;
	uint8_t digest[DIGEST_BYTES];
	bool pinned; /* good only beside this certificate */
	uint8_t pin[DIGEST_BYTES];
};

/* A policy that was written over the web is applied when another person than its authors has
 * approved it; a small site switches that off. */
struct one_person {
	bool enough; /* then what follows is filled in */
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

/* 0 or negative errno: when a damaged file could not be put aside, or for want of memory or
 * descriptors, while the file may be whole. *e says in any case what was wrong with it. */
int book_open(int dirfd, struct book *ret, enum book_found *ret_found, struct err *e);
/* All bytes of that file. 0, -EBADMSG: it is none of ours; -ENOMEM. Pure: what was read is to be
 * used only with 0. */
int book_of_file(const uint8_t *p, size_t n, struct book *ret, struct err *e);
/* 0 or negative errno; the book in memory goes on as it is. */
int book_save(const struct book *b, struct err *e);
void book_wipe(struct book *b);

struct account *book_account(struct book *b, const char *name);
struct token *book_token(struct book *b, const char *id);
/* The token of this secret that has not expired, whatever it may do; NULL when there is none. */
struct token *book_token_of(struct book *b, const uint8_t secret[SECRET_BYTES], uint64_t now);
/* Places at the end; NULL when the book is full. */
struct account *book_add(struct book *b);
struct token *book_add_token(struct book *b);
void book_remove(struct book *b, struct account *a);
void book_remove_token(struct book *b, struct token *t);

/* What an account manager looks at, in a few digits: whoever orders says what he saw, and nobody
 * undoes what somebody else has just done. */
void account_seen(const struct account *a, char out[ACCOUNT_SEEN]);
/* Its passphrase was handed out and never changed by its bearer, for too long. */
bool account_handed_over(const struct account *a, uint64_t now);
/* Of an account that is not disabled: neither used nor made in the last 30 days. */
bool account_unused(const struct account *a, uint64_t now);
/* Fresh codes, their digests into the account; each a text of its own. False without randomness:
 * nothing was changed. */
#define RECOVERY_TEXT 20u
bool account_recovery(struct account *a, char out[RECOVERY_CODES][RECOVERY_TEXT]);
/* Takes the code out of the account, so that it is good once. */
bool account_use_recovery(struct account *a, const char *code);

/* Its key of this label; NULL when there is none. */
struct key *account_key(struct account *a, const char *label);
void account_remove_key(struct account *a, struct key *k);
/* Whose key has this id; NULL when nobody's. */
const struct account *book_key_owner(const struct book *b, const struct webauthn_key *k);

/* Its certificate of this label, or this digest; NULL when there is none. */
struct pin *account_pin(struct account *a, const char *label);
struct pin *account_pin_of(struct account *a, const uint8_t digest[DIGEST_BYTES]);
void account_remove_pin(struct account *a, struct pin *p);
/* Whose is the certificate of this public key; NULL when nobody's. */
const struct account *book_pin_owner(const struct book *b, const uint8_t public[DIGEST_BYTES]);
/* Whose is this login, by its name or by its number; NULL when nobody's. */
struct account *book_login_owner(struct book *b, const char *login, uint32_t uid);
/* 64 digits, and not all of them 0. */
bool pin_read(const char *text, uint8_t out[DIGEST_BYTES]);

/* As the register shows them: no secret and no hash of one. */
json_t *book_account_json(const struct account *a, uint64_t now);
json_t *book_token_json(const struct token *t, uint64_t now);
json_t *book_keys_json(const struct account *a);
json_t *book_pins_json(const struct account *a, uint64_t now);
json_t *duties_json(uint32_t duties);
json_t *rights_json(uint32_t rights);
json_t *book_approval_json(const struct book *b);

/* All of it, secrets included, as it stands in the file. */
json_t *book_to_json(const struct book *b);
/* false: not a book, and nothing of it is to be used */
bool book_of_json(const json_t *j, struct book *ret);

#endif

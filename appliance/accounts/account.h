/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An account and a token of the register: what belongs to them, and what a login or an account
 * manager does with them. Entries are in the book, which owns them.
 */
#ifndef SEKISHO_ACCOUNTS_ACCOUNT_H
#define SEKISHO_ACCOUNTS_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/passphrase.h"
#include "appliance/accounts/secret.h"
#include "appliance/accounts/totp.h"
#include "appliance/base/addr.h"
#include "appliance/base/logins.h"
#include "appliance/wire/webauthn.h"

#define ACCOUNT_FULL 96u    /* bytes */
#define ACCOUNT_REASON 200u /* bytes */
#define ACCOUNT_BY 63u	    /* bytes of the name of a login of the machine */
#define TOKEN_ID 8u	    /* digits by which people name a token */
#define RECOVERY_CODES 10u
#define RECOVERY_BYTES 10u
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
	struct addr from; /* can only be used from there; family 0: from everywhere */
	bool pinned;	  /* can only be used together with this certificate */
	uint8_t pin[DIGEST_BYTES];
};
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
/* The account's certificate with this label or digest; NULL when there is none. */
struct pin *account_pin(struct account *a, const char *label);
struct pin *account_pin_of(struct account *a, const uint8_t digest[DIGEST_BYTES]);
void account_remove_pin(struct account *a, struct pin *p);
/* Reads a digest of 64 digits that are not all 0. */
bool pin_read(const char *text, uint8_t out[DIGEST_BYTES]);
/* Whether both accounts are equal, except for the fields that a login changes. */
bool account_same(const struct account *a, const struct account *b);
/* The words for the kinds of keys, in texts for people and in the register's file. */
extern const char *const webauthn_kind_words[WEBAUTHN_KINDS];

#endif

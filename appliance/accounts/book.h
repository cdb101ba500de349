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

#include "appliance/accounts/account.h"
#include "appliance/accounts/secret.h"
#include "appliance/base/err.h"
#include "appliance/wire/webauthn.h"

#define BOOK_FILE_MOST (1u << 20) /* bytes */
#define ACCOUNTS_MOST 64u
#define TOKENS_MOST 32u

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

/* The account with this key id; NULL when there is none. */
const struct account *book_key_owner(const struct book *b, const struct webauthn_key *k);

/* The account whose certificate has this public key; NULL when there is none. */
const struct account *book_pin_owner(const struct book *b, const uint8_t public[DIGEST_BYTES]);
/* The account with this login, by name or by uid; NULL when there is none. */
struct account *book_login_owner(struct book *b, const char *login, uint32_t uid);

#endif

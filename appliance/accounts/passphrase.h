/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passphrases: which are accepted, and how they are stored. They must be long, of any composition,
 * and never expire. Refused are phrases that guessers try first (denied.def), repetitions, runs of
 * the alphabet or of digits, and phrases that only consist of the owner's name. Stored as
 * libcrypt's yescrypt. Making a hash takes long, on purpose: a child of the role does it.
 */
#ifndef SEKISHO_ACCOUNTS_PASSPHRASE_H
#define SEKISHO_ACCOUNTS_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/utf8.h"

#define PASSPHRASE_LEAST 16u /* characters */
#define PASSPHRASE_MOST 256u /* bytes of UTF-8 */
#define PASSPHRASE_HASH 128u /* bytes of a hash as text, with its NUL */

enum passphrase {
	PASSPHRASE_GOOD,
	PASSPHRASE_SHORT,
	PASSPHRASE_LONG,
	PASSPHRASE_NO_TEXT, /* not UTF-8, or with a control character */
	PASSPHRASE_COMMON,
	PASSPHRASE_LEAKED, /* desk_leaked.c finds that */
};

enum passphrase passphrase_judge(const char *phrase, const char *name);
/* The setting for a new hash: method, cost and fresh salt. False without randomness. */
bool passphrase_setting(char out[PASSPHRASE_HASH]);
/* The hash of `phrase` by a setting or an earlier hash; takes about a tenth of a second and 16 MiB.
 * False: no such method. */
bool passphrase_hash(const char *phrase, const char *setting, char out[PASSPHRASE_HASH]);
/* Whether the text has the form of a hash of passphrase_hash. Hashes of other methods are not
 * accepted from a file. */
bool passphrase_is_hash(const char *text);
/* Six groups of letters and digits, 120 bits: for a first secret. False without randomness. */
#define PASSPHRASE_MADE 32u
bool passphrase_make(char out[PASSPHRASE_MADE]);

/* The number of characters of a text that people typed and others will read. */

size_t text_characters(const char *text);
/* A name for an account: a small letter, then small letters, digits, '.', '-', '_'; at most
 * ACCOUNT_NAME bytes. */
#define ACCOUNT_NAME 31u
bool text_is_name(const char *text);

#endif

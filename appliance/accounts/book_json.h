/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register as JSON. For people without secrets or hashes of them; for the file with all of
 * it.
 */
#ifndef SEKISHO_ACCOUNTS_BOOK_JSON_H
#define SEKISHO_ACCOUNTS_BOOK_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/account.h"
#include "appliance/base/json.h"

struct book;

/* For people: an account, a token, an account's keys; without secrets or hashes of them. */
json_t *book_account_json(const struct account *a, uint64_t now);
json_t *book_token_json(const struct token *t, uint64_t now);
json_t *book_keys_json(const struct account *a);
json_t *book_pins_json(const struct account *a, uint64_t now);
json_t *duties_json(uint32_t duties);
json_t *rights_json(uint32_t rights);
json_t *book_approval_json(const struct book *b);
/* The whole book with its secrets, as in the file. */
json_t *book_to_json(const struct book *b);
/* false: not a valid book, and *ret must not be used */
bool book_of_json(const json_t *j, struct book *ret);

#endif

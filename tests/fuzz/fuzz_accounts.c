/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of the register of accounts. The first byte says whether the rest is the whole file, or
 * what follows a first line that the target itself makes right, because no fuzzer finds a digest. A
 * register that is accepted must be written as the same bytes, and these must be read as the same
 * register.
 *
 * LINK: appliance/accounts/book.c appliance/accounts/book_file.c appliance/base/columns.c
 * LINK: appliance/accounts/passphrase.c appliance/accounts/secret.c
 * LINK: appliance/accounts/totp.c appliance/wire/duty.c appliance/base/utf8.c appliance/base/json.c
 * LINK: appliance/base/logins.c appliance/base/sha256.c appliance/base/atomic_file.c
 * LINK: appliance/base/err.c appliance/base/memfd.c appliance/base/bytes.c appliance/base/addr.c
 * LIBS: libcrypt liboath jansson nettle
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/account.h"
#include "appliance/accounts/book.h"
#include "appliance/accounts/book_json.h"
#include "appliance/base/sha256.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct book book, again; /* large */

static void same_again(void)
{
	json_t *j = book_to_json(&book), *other;

	assert(j != NULL && book.n_accounts <= ACCOUNTS_MOST && book.n_tokens <= TOKENS_MOST);
	memset(&again, 0, sizeof(again));
	assert(book_of_json(j, &again));
	other = book_to_json(&again);
	assert(other != NULL && json_equal(j, other) == 1);
	for (size_t i = 0; i < book.n_accounts; i++)
		assert(book_account(&book, book.accounts[i].name) == &book.accounts[i] &&
		       passphrase_is_hash(book.accounts[i].hash) && book.accounts[i].recovery_left <= RECOVERY_CODES);
	json_decref(j);
	json_decref(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "sekisho-accounts 1 ";
	size_t room = sizeof(head) - 1 + 65, n;
	uint8_t *file, digest[32];
	char hex[65];
	struct err e;

	if (size == 0)
		return 0;
	n = size - 1 + (data[0] == 'h' ? room : 0);
	file = malloc(n > 0 ? n : 1);
	assert(file != NULL);
	memcpy(file + n - (size - 1), data + 1, size - 1);
	if (data[0] == 'h') {
		sha256(data + 1, size - 1, digest);
		hex_text(digest, sizeof(digest), hex);
		memcpy(file, head, sizeof(head) - 1);
		memcpy(file + sizeof(head) - 1, hex, 64);
		file[room - 1] = '\n';
	}
	memset(&book, 0, sizeof(book));
	if (book_of_file(file, n, &book, &e) == 0)
		same_again();
	free(file);
	return 0;
}

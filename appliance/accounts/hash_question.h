/* SPDX-License-Identifier: Apache-2.0 */
/* What the role asks its child that hashes passphrases, and the answer. */
#ifndef SEKISHO_ACCOUNTS_HASH_QUESTION_H
#define SEKISHO_ACCOUNTS_HASH_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/passphrase.h"

struct hash_question {
	uint32_t id;
	char phrase[PASSPHRASE_MOST + 1], setting[PASSPHRASE_HASH];
};

struct hash_answer {
	uint32_t id;
	bool ok;
	char hash[PASSPHRASE_HASH];
};

#endif

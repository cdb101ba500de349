/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that makes hashes of pass phrases, one after the other, so that the role goes on answering meanwhile. It is forked before the
 * role shuts itself in, has a user of its own, no file and no capability, and keeps nothing: it is sent a phrase and a setting
 * and says the hash. It ends with the role, and the role ends with it.
 */
#ifndef SEKISHO_ACCOUNTS_HASHER_H
#define SEKISHO_ACCOUNTS_HASHER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/passphrase.h"
#include "appliance/base/err.h"

struct hash_question {
	uint32_t id;
	char phrase[PASSPHRASE_MOST + 1], setting[PASSPHRASE_HASH];
};

struct hash_answer {
	uint32_t id;
	bool ok;
	char hash[PASSPHRASE_HASH];
};

/* Forks; in the child this never returns. A SEQPACKET socket, owned by the caller, or negative errno. */
int hasher_start(struct err *e);
/* False: it is gone, or so far behind that its socket is full. */
bool hasher_ask(int fd, const struct hash_question *q);
/* 1 = an answer, 0 = none yet, negative errno: it is gone. */
int hasher_answer(int fd, struct hash_answer *ret);

#endif

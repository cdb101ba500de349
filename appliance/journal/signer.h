/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's signing key: a file `key` in a folder of its own, which is never copied with the
 * records and which only the journal role reads. Its public part is `checkpoint.pem` beside the
 * records. The key file contains both parts, so that a flipped bit shows as a damaged file and not
 * as another key.
 *
 * If checkpoint.pem shows that there was a key, but the key is missing or damaged, a new key is
 * made. A damaged file is set aside, and the caller records the loss. A key that cannot be read
 * because of its permissions or the disk is not replaced: it stays, and nothing is signed until a
 * person has removed it.
 */
#ifndef SEKISHO_JOURNAL_SIGNER_H
#define SEKISHO_JOURNAL_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/journal/checkpoint.h"

struct err;

struct signer {
	bool ready;
	uint8_t secret[CHECKPOINT_KEY], public[CHECKPOINT_KEY];
};

/*
 * Reads the key, or makes one. `keys`: the folder of the key; `records`: the folder of the journal.
 * *ret_lost: an earlier key is lost; *why says how. 0, or negative errno: there is no key yet, and
 * the call may be repeated.
 */
int signer_open(int keys, int records, struct signer *s, bool *ret_lost, struct err *why);
void signer_sign(const struct signer *s, const char *text, size_t n, uint8_t out[CHECKPOINT_SIGNATURE]);

#endif

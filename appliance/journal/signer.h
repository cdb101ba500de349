/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's signing key: a file `key` in a folder of its own, which is copied with no record and read by the journal role alone, and its
 * public part as `checkpoint.pem` beside the records. The key file says both parts, so that a bit that turned is no other key but a damaged file.
 *
 * A key that is gone or damaged, where checkpoint.pem says that there was one, is replaced: what is left of it is set aside, and the caller has it recorded.
 * One that cannot be read (its rights, the disk) is neither: it stays, nothing is signed, and whoever is sure that it is lost takes it away.
 */
#ifndef SEKISHO_JOURNAL_SIGNER_H
#define SEKISHO_JOURNAL_SIGNER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/journal/checkpoint.h"

struct signer {
	bool ready;
	uint8_t secret[CHECKPOINT_KEY], public[CHECKPOINT_KEY];
};

/*
 * Reads the key, or makes one. `keys`: its folder, `records`: the journal's. *ret_lost: an earlier key is lost; *why says how. 0, or negative errno: it is not
 * ready, and the call may be repeated.
 */
int signer_open(int keys, int records, struct signer *s, bool *ret_lost, struct err *why);
void signer_sign(const struct signer *s, const char *text, size_t n, uint8_t out[CHECKPOINT_SIGNATURE]);

#endif

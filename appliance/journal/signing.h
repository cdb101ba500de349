/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures over the lines: the key, what is signed, and when the next is due. */
#ifndef SEKISHO_JOURNAL_SIGNING_H
#define SEKISHO_JOURNAL_SIGNING_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/journal/signer.h"

struct signing {
	/* folder of the signing key; 0 = signatures are not wanted; -1 = there is no folder, so
	 * nothing is signed, and this is recorded */
	int folder;
	struct signer signer;
	json_t *last; /* the last checkpoint as in its record, NULL = none yet; owned */
	/* records since the last checkpoint, as far as this process knows */
	uint64_t unsigned_n;
	/* monotonic ns: latest time of the next signature; 0 = there is nothing to sign */
	uint64_t at;
	bool under_way;	       /* a checkpoint is being written */
	uint64_t to;	       /* the last record that this process signed, 0 = none */
	char no_key[ERR_TEXT]; /* why there is no key to sign with, "" = there is one */
	uint64_t no_key_at;    /* monotonic ns: when the lack of a key is recorded again */
};

#endif

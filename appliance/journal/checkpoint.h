/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints: records by which the journal signs what it holds. A record of this kind says of the one before it number and hash, on which by
 * the chain all earlier ones hang, and signs that with Ed25519 (RFC 8032). What is signed stands in the record as it is, so that any program
 * which knows Ed25519 can check it:
 *
 *     "checkpoint":{"text":"sekisho-journal-checkpoint-1 key=KEY record=N hash=HASH time=TIME","signature":"SIGNATURE"}
 *
 * KEY (32 bytes), HASH (32) and SIGNATURE (64) are lower-case hexadecimal digits, N is decimal, TIME as in every record. The first word is no
 * other program's and changes when the form does: a signature made for something else is none of a checkpoint. The text is made anew, of the record
 * before it or of what itself says, and compared, so that there is one text for one meaning.
 *
 * Pure: no files. The private part of a key is signer.h's.
 */
#ifndef SEKISHO_JOURNAL_CHECKPOINT_H
#define SEKISHO_JOURNAL_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"

#define CHECKPOINT_KEY 32u
#define CHECKPOINT_SIGNATURE 64u
#define CHECKPOINT_TEXT 288u
#define CHECKPOINT_PEM 160u
#define CHECKPOINT_TIME 24u /* 2026-11-20T08:10:11.000Z */
#define CHECKPOINT_KEYS 16u

struct checkpoint {
	uint64_t record; /* number of the last record that is signed: the one before the checkpoint */
	uint8_t hash[32];
	uint8_t key[CHECKPOINT_KEY];
	char time[CHECKPOINT_TIME + 1];
};

/* Public keys that somebody trusts; of a box whose key was lost, its old and its new one. */
struct checkpoint_keys {
	uint8_t list[CHECKPOINT_KEYS][CHECKPOINT_KEY];
	size_t n;
};

/* Bytes of the text, without a NUL that stands behind. */
size_t checkpoint_text(const struct checkpoint *c, char out[CHECKPOINT_TEXT]);
/* The member of a record; new reference, NULL = no memory. */
json_t *checkpoint_json(const struct checkpoint *c, const uint8_t signature[CHECKPOINT_SIGNATURE]);

enum checkpoint_word {
	CHECKPOINT_NONE,    /* the line is no checkpoint */
	CHECKPOINT_GOOD,    /* signed by one of these keys, and what it says of the record before it is so */
	CHECKPOINT_ANOTHER, /* signed by, or in the name of, a key that is none of these */
	CHECKPOINT_FALSE,   /* it says something else than its place, or the signature does not fit */
};

/*
 * What a line says whose form and own hash are sound (journal_line_check): of the record `seq` - 1 with the hash that it has as "prev".
 * `ret` is filled when it is good.
 */
enum checkpoint_word checkpoint_of_line(const char *line, size_t n, uint64_t seq, const struct checkpoint_keys *keys,
					struct checkpoint *ret);

/*
 * What the member itself says, wherever its record is not at hand as a line: a log server may have it in another form (mgmt/words/eve.h). Of number and hash
 * the signature vouches alone. `ret` is filled when it is good.
 */
enum checkpoint_word checkpoint_of_member(const json_t *member, const struct checkpoint_keys *keys,
					  struct checkpoint *ret);

/* As openssl writes and reads it: BEGIN PUBLIC KEY. */
void checkpoint_pem(const uint8_t key[CHECKPOINT_KEY], char out[CHECKPOINT_PEM]);
/* All keys of a file that somebody gives: PEM, one or several. False: there is something else, too many, or none. */
bool checkpoint_keys_read(const char *text, size_t n, struct checkpoint_keys *ret);

#endif

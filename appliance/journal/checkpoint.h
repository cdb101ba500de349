/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints: records by which the journal signs all earlier ones. A checkpoint has the number and
 * the hash of the record before it, and an Ed25519 signature (RFC 8032) of them. Through the hash
 * chain, it covers all earlier records. The signed text is in the record as it is, so any program
 * with Ed25519 can check it:
 *
 *     "checkpoint":{"text":"sekisho-journal-checkpoint-1 key=KEY record=N hash=HASH
 *     time=TIME","signature":"SIGNATURE"}
 *
 * KEY (32 bytes), HASH (32) and SIGNATURE (64) are lower-case hexadecimal digits, N is decimal,
 * TIME as in every record. The first word is used for this form only, and changes with it, so a
 * signature made for another purpose is never valid here. A check builds the text again from the
 * values and compares it, so that each set of values has exactly one text.
 *
 * Pure: no files. signer.c has the private part of the key.
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
	/* number of the last record that is signed: the one before the checkpoint */
	uint64_t record;
	uint8_t hash[32];
	uint8_t key[CHECKPOINT_KEY];
	char time[CHECKPOINT_TIME + 1];
};

/* Trusted public keys. For a box whose key was lost, these are its old and its new key. */
struct checkpoint_keys {
	uint8_t list[CHECKPOINT_KEYS][CHECKPOINT_KEY];
	size_t n;
};

/* Writes the text with a NUL. Returns its length without the NUL. */
size_t checkpoint_text(const struct checkpoint *c, char out[CHECKPOINT_TEXT]);
/* The member of a record; new reference, NULL = no memory. */
json_t *checkpoint_json(const struct checkpoint *c, const uint8_t signature[CHECKPOINT_SIGNATURE]);

enum checkpoint_word {
	CHECKPOINT_NONE, /* the line is not a checkpoint */
	/* it is signed by one of these keys, and matches the record before it */
	CHECKPOINT_GOOD,
	CHECKPOINT_ANOTHER, /* another key has signed it, or it names another key */
	/* it does not match its position in the chain, or the signature is wrong */
	CHECKPOINT_FALSE,
};

/*
 * Judges a line whose form and hash are good (journal_line_check). It must sign record `seq` - 1
 * with the hash that the line has as "prev". `ret` is filled when it is good.
 */
enum checkpoint_word checkpoint_of_line(const char *line, size_t n, uint64_t seq, const struct checkpoint_keys *keys,
					struct checkpoint *ret);

/*
 * Judges the member alone, when its record is not available as a line: a log server may have it in
 * another form (mgmt/words/eve.h). Then only the signature proves number and hash. `ret` is filled
 * when it is good.
 */
enum checkpoint_word checkpoint_of_member(const json_t *member, const struct checkpoint_keys *keys,
					  struct checkpoint *ret);

/* Writes the key in PEM, as openssl does: BEGIN PUBLIC KEY. */
void checkpoint_pem(const uint8_t key[CHECKPOINT_KEY], char out[CHECKPOINT_PEM]);
/* Reads all keys of a PEM file, one or several. False: there is something else in it, or there are
 * too many, or none. */
bool checkpoint_keys_read(const char *text, size_t n, struct checkpoint_keys *ret);

#endif

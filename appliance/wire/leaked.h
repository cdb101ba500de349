/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of leaked passphrases, in the form in which the command line hands it to the role
 * accounts and accounts stores it: a head, and for each phrase the first bytes of its SHA-1, in
 * strictly ascending order. Public lists have SHA-1 values. Collisions of SHA-1 do no harm: a
 * person who constructs one is only refused that phrase. Knows neither files nor accounts.
 */
#ifndef SEKISHO_WIRE_LEAKED_H
#define SEKISHO_WIRE_LEAKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAKED_PREFIX 8u
#define LEAKED_MOST (1u << 22) /* number of phrases: 32 MiB */
#define LEAKED_HEAD 56u	       /* bytes */
/* bytes that are added to the digest in one step; the last block may be shorter */
#define LEAKED_BLOCK (64u << 10)
#define LEAKED_BYTES_MOST (LEAKED_HEAD + LEAKED_MOST * LEAKED_PREFIX)

struct leaked_head {
	uint64_t count; /* 1 to LEAKED_MOST */
	/* when it was loaded, seconds since 1970; 0 in a list that is being handed over */
	uint64_t loaded;
	uint8_t digest[32];
};

void leaked_head_write(const struct leaked_head *h, uint8_t out[LEAKED_HEAD]);
/* False: not the head of such a list, or not of a list of this total size. */
bool leaked_head_read(const uint8_t head[LEAKED_HEAD], uint64_t bytes, struct leaked_head *ret);

/* The digest of a list: leaked_begin, then each block in order, then the end. */
void leaked_begin(uint64_t count, uint8_t chain[32]);
void leaked_fold(uint8_t chain[32], const uint8_t *block, size_t n);
void leaked_end(const uint8_t chain[32], uint64_t loaded, uint8_t digest[32]);

void leaked_prefix(const char *phrase, size_t n, uint8_t out[LEAKED_PREFIX]);

#endif

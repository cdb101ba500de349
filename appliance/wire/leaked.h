/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of leaked pass phrases as the command line hands it to the role accounts, and as that keeps it on the disk: a head, and of each phrase the first
 * bytes of its SHA-1, as they stand in the lists that are public, in strict order. What is looked for is no secret and need not be told from what is a made
 * up collision: whoever made one would only be refused his own phrase. Knows neither files nor accounts.
 */
#ifndef SEKISHO_WIRE_LEAKED_H
#define SEKISHO_WIRE_LEAKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAKED_PREFIX 8u
#define LEAKED_MOST (1u << 22)	 /* 32 MiB of them */
#define LEAKED_HEAD 56u		 /* bytes */
#define LEAKED_BLOCK (64u << 10) /* bytes that go into the digest at once; the last block may be shorter */
#define LEAKED_BYTES_MOST (LEAKED_HEAD + LEAKED_MOST * LEAKED_PREFIX)

struct leaked_head {
	uint64_t count;	 /* 1 to LEAKED_MOST */
	uint64_t loaded; /* seconds since 1970; 0 = it is handed over */
	uint8_t digest[32];
};

void leaked_head_write(const struct leaked_head *h, uint8_t out[LEAKED_HEAD]);
/* False: no such list, or none that has this many bytes in all. */
bool leaked_head_read(const uint8_t head[LEAKED_HEAD], uint64_t bytes, struct leaked_head *ret);

/* The digest: begun, with each block in its order, ended. */
void leaked_begin(uint64_t count, uint8_t chain[32]);
void leaked_fold(uint8_t chain[32], const uint8_t *block, size_t n);
void leaked_end(const uint8_t chain[32], uint64_t loaded, uint8_t digest[32]);

void leaked_prefix(const char *phrase, size_t n, uint8_t out[LEAKED_PREFIX]);

#endif

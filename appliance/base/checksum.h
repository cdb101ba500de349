/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checksum of IP, TCP, UDP and ICMP (RFC 1071): a sum in one's complement, in whatever order this machine has bytes, which does not
 * matter as long as nobody looks at it as a number.
 *
 * Folded lazily: eight bytes at a time into 64 bits, with the carry counted back in. Here and not in a file of its own, because every
 * packet of a worker goes through it.
 */
#ifndef SEKISHO_BASE_CHECKSUM_H
#define SEKISHO_BASE_CHECKSUM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "appliance/base/bytes.h"

static inline uint64_t checksum_carry(uint64_t sum, uint64_t v)
{
	sum += v;
	return sum + (sum < v);
}

/* The sum so far (at first 0) and these bytes. Of several pieces all but the last are of even length. */
static inline uint64_t checksum_add(uint64_t sum, struct bytes b)
{
	uint64_t block[8];
	uint64_t last = 0;

	while (b.left >= sizeof(block)) {
		bytes_copy(&b, block, sizeof(block));
		for (unsigned i = 0; i < 8; i++)
			sum = checksum_carry(sum, block[i]);
	}
	while (b.left >= sizeof(last)) {
		bytes_copy(&b, &last, sizeof(last));
		sum = checksum_carry(sum, last);
	}
	last = 0;
	bytes_copy(&b, &last, b.left);
	return checksum_carry(sum, last);
}

static inline uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffffu);
	sum = (sum >> 32) + (sum & 0xffffffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	return (uint16_t)sum;
}

/* Whether bytes that hold their checksum, with their pseudo header if they have one, are what was sent. */
static inline bool checksum_good(uint64_t sum)
{
	return checksum_fold(sum) == 0xffffu;
}

/* Writes the checksum of what was summed, its own two bytes counted as 0, to `p`. */
static inline void checksum_put(uint8_t *p, uint64_t sum)
{
	uint16_t v = (uint16_t)~checksum_fold(sum);

	memcpy(p, &v, sizeof(v));
}

#endif

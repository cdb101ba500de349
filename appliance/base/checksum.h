/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checksum of IP, TCP, UDP and ICMP (RFC 1071): a sum in one's complement. It is kept in the
 * machine's byte order, which does not matter as long as nobody uses it as a number.
 *
 * Eight bytes at a time are added into 64 bits, with the carry added back in; the sum is folded to
 * 16 bits at the end. Inline, because a worker does this for every packet.
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

/* Adds bytes to the sum, which is 0 at first. All pieces but the last must have an even length. */
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

/* `sum` is over all bytes with their checksum (and their pseudo header, if there is one). True when
 * the checksum is right. */
static inline bool checksum_good(uint64_t sum)
{
	return checksum_fold(sum) == 0xffffu;
}

/* Writes the checksum to `p`. `sum` is over all bytes, with the two bytes of the checksum as 0. */
static inline void checksum_put(uint8_t *p, uint64_t sum)
{
	uint16_t v = (uint16_t)~checksum_fold(sum);

	memcpy(p, &v, sizeof(v));
}

#endif

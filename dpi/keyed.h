/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashing with a secret, so that a sender, who chooses addresses and ports, cannot choose their
 * bucket in a table. `seed` is the table's own, drawn by getrandom() when it is made. Only for
 * places in memory: not a cryptographic digest.
 */
#ifndef SEKISHO_DPI_KEYED_H
#define SEKISHO_DPI_KEYED_H

#include <stdint.h>
#include <string.h>

#include "appliance/base/addr.h"

/* Multiplies to 128 bits, and combines both halves by exclusive or. */
static inline uint64_t keyed_mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t keyed_addr(const uint64_t seed[2], const struct addr *a)
{
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	return keyed_mix(w[0] ^ seed[0], w[1] ^ seed[1]);
}

#endif

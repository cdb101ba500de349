/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the certificates of one file stand by their dates. The last 30 days of one are near its end, time to have another made in working hours and through the channels
 * of a port; of the last of them that is valid seven days are close to it, when somebody has to be found tonight if nobody is at it. One that lives for less than
 * 90 days has a third of its life and a tenth. Pure; times are seconds since 1970.
 */
#ifndef SEKISHO_CONTROL_EXPIRY_H
#define SEKISHO_CONTROL_EXPIRY_H

#include <stddef.h>
#include <stdint.h>

#define EXPIRY_NEAR_S (30u * 86400u)
#define EXPIRY_CLOSE_S (7u * 86400u)

enum expiry {
	EXPIRY_GOOD,
	EXPIRY_NEAR,	/* one of them ends soon */
	EXPIRY_CLOSE,	/* the last one that is valid ends within days */
	EXPIRY_ENDED,	/* none is valid any more */
	EXPIRY_NOT_YET, /* none is valid, and one is going to be */
	EXPIRIES
};

struct validity {
	uint64_t from, until;
};

/*
 * Of n > 0. One that has ended beside a valid one is a leftover and says nothing. *which: the one that it is about; *since: from when on it is so, 0 = nobody knows
 * (one that is not valid yet).
 */
enum expiry expiry_of(const struct validity *list, size_t n, uint64_t now, size_t *which, uint64_t *since);

#endif

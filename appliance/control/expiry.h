/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the certificates of one file, by their dates. A certificate is "near" its end in its
 * last 30 days, which is enough time to order another one in the usual way, or in the last third of
 * its life if that is less. The valid certificate that ends last is "close" in its last seven days,
 * when a person has to act at once, or in the last tenth of its life if that is less. Pure; times
 * are seconds since 1970.
 */
#ifndef SEKISHO_CONTROL_EXPIRY_H
#define SEKISHO_CONTROL_EXPIRY_H

#include <stddef.h>
#include <stdint.h>

#define EXPIRY_NEAR_S (30u * 86400u)
#define EXPIRY_CLOSE_S (7u * 86400u)

enum expiry {
	EXPIRY_GOOD,
	EXPIRY_NEAR,	/* a certificate ends soon */
	EXPIRY_CLOSE,	/* the last valid certificate ends within days */
	EXPIRY_ENDED,	/* none is valid any more */
	EXPIRY_NOT_YET, /* none is valid yet, but one will be */
	EXPIRIES
};

struct validity {
	uint64_t from, until;
};

/*
 * Judges n > 0 certificates. If one of them is valid, those that have ended are ignored. *which:
 * index of the certificate that decides; *since: when the state began, 0 = not known (EXPIRY_GOOD
 * and EXPIRY_NOT_YET).
 */
enum expiry expiry_of(const struct validity *list, size_t n, uint64_t now, size_t *which, uint64_t *since);

#endif

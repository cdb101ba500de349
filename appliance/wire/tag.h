/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of a controller's tags as numbers. A name is "Speed", "Program:Main.Run" or
 * "Crane.Hoist.Speed"; letters are compared without case, as controllers do. Rows and requests are
 * compared by a digest of 63 bits of the whole name. Two names with the same digest matter only if
 * the controller has a tag of the second name. An attacker who can add tags to a controller can do
 * anything else to it. A name includes the tags beneath it, so the digests of all prefixes that end
 * before a dot are computed too. Pure.
 */
#ifndef SEKISHO_WIRE_TAG_H
#define SEKISHO_WIRE_TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/operation.h"

#define TAG_MAX 255u /* bytes of a name */

struct tag_digest {
	uint64_t h;
	uint64_t within[WITHIN_MAX];
	uint32_t n;
	uint8_t n_within;
	uint8_t last;
};

void tag_begin(struct tag_digest *d);
/* Adds a character. False: the character is not allowed, or not at this position, or the name is
 * too long. */
bool tag_add(struct tag_digest *d, uint8_t c);
/* Whether a name may end behind the characters so far. */
bool tag_is_whole(const struct tag_digest *d);
/* The name's digest, and the digests of its prefixes, the shortest first; for deep names the
 * longest prefixes are left out. */
uint64_t tag_end(const struct tag_digest *d, uint64_t ret_within[WITHIN_MAX], uint8_t *ret_n);
/* The digest of a whole name; false when it is no valid name. */
bool tag_read(const char *name, size_t n, uint64_t *ret);

#endif

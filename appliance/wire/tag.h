/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of a controller's tags as numbers. A name is "Speed", "Program:Main.Run" or "Crane.Hoist.Speed"; letters are compared
 * without case, as controllers do. Rows and requests are compared by a digest of the whole name of 63 bits: a request does no harm by a
 * digest that is equal by chance unless the controller has a tag of that other name. Whoever can add tags to a controller can do
 * anything else to it. A name has what lies beneath it, so the digests of all beginnings that end before a dot are given too. Pure.
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
/* One more character. False: names do not have it, or not there, or are not so long. */
bool tag_add(struct tag_digest *d, uint8_t c);
/* It may end here. */
bool tag_is_whole(const struct tag_digest *d);
/* The name's digest, and those of what it is within, the outermost first; of deep names the innermost are left out. */
uint64_t tag_end(const struct tag_digest *d, uint64_t ret_within[WITHIN_MAX], uint8_t *ret_n);
/* Of a whole name; false when it is none. */
bool tag_read(const char *name, size_t n, uint64_t *ret);

#endif

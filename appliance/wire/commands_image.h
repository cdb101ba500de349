/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of the image of command tables that older releases wrote. Part of commands.c, used by nobody else. */
#ifndef SEKISHO_WIRE_COMMANDS_IMAGE_H
#define SEKISHO_WIRE_COMMANDS_IMAGE_H

#include "appliance/wire/commands.h"

/* Sealed generations of older releases hold older images: what they lack is 0. */
#define IMAGE_FIRST 1u
#define IMAGE_ROW_FILE 2u
#define IMAGE_LENIENT 3u
#define IMAGE_WEAK_TLS 5u /* from it on permits say what becomes of weak TLS */
#define IMAGE_NAMES 6u	  /* from it on grants say which names of servers are declared */
#define IMAGE_LISTS                                                                                                    \
	4u /* services, targets and spaces as lists, numbers of 64 bits; before: a bit for each code and unit of 8 bits */

#define IMAGE_SET 9u

static inline bool image_get_flag(struct bytes *b, bool *ret)
{
	uint8_t v;

	bytes_u8(b, &v);
	*ret = v == 1;
	return v <= 1;
}

static inline bool image_get_set(struct bytes *b, struct number_set *ret)
{
	bool ok = image_get_flag(b, &ret->any);

	bytes_be32(b, &ret->first);
	bytes_be32(b, &ret->n);
	return ok && ((!ret->any && ret->n > 0) || ret->first == 0) && (!ret->any || ret->n == 0);
}

/* Bytes of a row and of a range in an older form. */
#define IMAGE_OLD_ROW(version) (115u + ((version) < IMAGE_ROW_FILE ? 0u : 4u))
#define IMAGE_OLD_RANGE 8u
/* Lists that n older rows become, beside those that the image has. */
bool image_count_older(struct bytes rows, uint16_t version, uint32_t n, uint64_t *ret_spaces, uint64_t *ret_ranges);
/* Rows and `n_ranges` ranges, into arrays that have room for the lists as well. */
bool image_get_older(struct bytes *b, struct command_table *t, uint32_t n_ranges);

#endif

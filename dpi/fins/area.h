/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory areas: what a code and an address stand for (W227, 2-2 and 3-2; W342, 5-2). Part of the
 * FINS enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_FINS_AREA_H
#define SEKISHO_DPI_FINS_AREA_H

#include "appliance/base/bytes.h"

enum fins_kind {
	FINS_KIND_BIT,	/* a byte each */
	FINS_KIND_WORD, /* two bytes each */
	FINS_KIND_FORCED_BIT,
	FINS_KIND_FORCED_WORD, /* four bytes each: a mask of forced bits, then the word */
	FINS_KIND_LONG,	       /* four bytes each, whose meaning is not documented */
};

/* A run of items in one memory area. */
struct fins_place {
	uint8_t code;
	uint8_t size; /* bytes of an item; 0: the area code is unknown */
	uint8_t kind; /* enum fins_kind */
	/* address space of the vocabulary; SPACE_NONE: a policy has no key for the area, or the
	 * address does not exist in it */
	uint8_t space;
	uint8_t each; /* number of addresses that an item covers */
	bool part;    /* the item is only a part of its address: one bit of a word */
	uint64_t first;
	uint64_t count; /* addresses */
};

/* Reads area code and address. False: there are not enough bytes. */
bool fins_place_parse(struct bytes *b, struct fins_place *ret);
/* Extends the place to `items` items. False: `items` is 0, or the items go beyond the
 * last address. */
bool fins_place_extend(struct fins_place *p, uint32_t items);

#endif

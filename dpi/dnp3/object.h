/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object headers of DNP3, and how long what follows each is (IEEE 1815, clauses 4 and 11). Part of
 * its enforcer, used by nobody else. Pure; knows no policy.
 *
 *   header     group, variation, qualifier, range
 *   qualifier  bits 4 to 6: what stands in front of each object (nothing, its index in 1, 2 or 4
 *              bytes, its size in as many); bits 0 to 3: the range (first and last index in 1, 2 or
 *              4 bytes; nothing, all; how many, in 1, 2 or 4 bytes; how many in 1, with sizes)
 */
#ifndef SEKISHO_DPI_DNP3_OBJECT_H
#define SEKISHO_DPI_DNP3_OBJECT_H

#include "appliance/base/bytes.h"

struct dnp3_objects {
	uint8_t group, variation;
	uint8_t index, size; /* bytes in front of each object that are its index, or its size */
	bool ranged;	     /* they follow one another from `first` on */
	bool all;	     /* no range: all that there are */
	bool holds;	     /* data follow: else only indexes, if at all */
	uint8_t bits;	     /* of an object that is packed, else 0 */
	uint32_t bytes;	     /* of an object with data; 0: each says it, or is packed */
	uint64_t first, count;
	struct bytes body; /* indexes, sizes and data */
};

/*
 * Takes one header off, with all that belongs to it. `holds`: in this message objects have data
 * (what has a size in front has it always). False: it is malformed, or of a length that nobody
 * knows.
 */
bool dnp3_objects_take(struct bytes *b, bool holds, struct dnp3_objects *ret);
/* Takes the next object off o->body: its index (that of `k`, where they follow one another) and
 * its data. Not for packed ones. */
bool dnp3_object_take(struct dnp3_objects *o, uint64_t k, uint64_t *ret_index, struct bytes *ret);
/* Whether these are whole objects with data, as in a response. `ret_secure`: some are of
 * secure authentication. */
bool dnp3_objects_fit(struct bytes b, bool *ret_secure);
bool dnp3_is_secure(uint8_t group);

#endif

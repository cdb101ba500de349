/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object headers of DNP3, and the length of the objects after each (IEEE 1815, clauses 4 and 11).
 * Part of the DNP3 enforcer, used by nobody else. Pure; knows no policy.
 *
 *   header     group, variation, qualifier, range
 *   qualifier  bits 4 to 6: the prefix of each object (none, its index in 1, 2 or 4 bytes, its size
 *              in as many bytes); bits 0 to 3: the range (first and last index in 1, 2 or 4 bytes;
 *              all; a count in 1, 2 or 4 bytes; a count in 1 byte, with sizes)
 */
#ifndef SEKISHO_DPI_DNP3_OBJECT_H
#define SEKISHO_DPI_DNP3_OBJECT_H

#include "appliance/base/bytes.h"

struct dnp3_objects {
	uint8_t group, variation;
	uint8_t index, size; /* bytes of the index, or of the size, in front of each object */
	bool ranged;	     /* the objects have consecutive indexes from `first` on */
	bool all;	     /* no range: all objects of this kind */
	bool holds;	     /* objects have data; otherwise at most indexes */
	uint8_t bits;	     /* bits of an object if objects are packed, else 0 */
	/* bytes of an object with data; 0: each object states its length, or objects are packed */
	uint32_t bytes;
	uint64_t first, count;
	struct bytes body; /* indexes, sizes and data */
};

/*
 * Reads one object header and its objects from *b. `holds`: objects of this message have data
 * (objects with a size prefix always have). False: it is malformed, or the length of its objects is
 * not known.
 */
bool dnp3_objects_take(struct bytes *b, bool holds, struct dnp3_objects *ret);
/* Reads the next object from o->body: its index, which for consecutive objects follows from `k`,
 * and its data. Not for packed objects. */
bool dnp3_object_take(struct dnp3_objects *o, uint64_t k, uint64_t *ret_index, struct bytes *ret);
/* Whether the bytes are complete objects with data, as in a response. *ret_secure: some belong to
 * secure authentication. */
bool dnp3_objects_fit(struct bytes b, bool *ret_secure);
bool dnp3_is_secure(uint8_t group);

#endif

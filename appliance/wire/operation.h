/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations: the single things that a PDU of any protocol asks for. An enforcer produces them, the
 * evaluator (evaluate.h) judges them; neither knows the other. To judge a past PDU again, its kept
 * operations are evaluated again. Pure data; written values are borrowed from the PDU.
 */
#ifndef SEKISHO_WIRE_OPERATION_H
#define SEKISHO_WIRE_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/vocabulary.h"

#define SPACE_NONE 255u /* the operation touches no address */

/* How written values are encoded in the PDU. */
enum values_form {
	VALUES_NONE,	/* nothing is written that a row could limit */
	VALUES_UNKNOWN, /* the value that the device has afterwards cannot be known */
	VALUES_BETWEEN, /* `lo` and `hi` were written, and perhaps others between them */
	VALUES_BITS,	/* from the lowest bit of the first byte up */
	VALUES_U8,
	VALUES_U16BE,
	VALUES_U16LE,
	VALUES_U32BE,
	VALUES_U32LE,
	VALUES_NIBBLES,	 /* four bits each, the high ones of a byte first */
	VALUES_HEX_U4,	 /* a hexadecimal digit each */
	VALUES_HEX_U16,	 /* four digits each, the high one first */
	VALUES_HEX_BITS, /* four hexadecimal digits for 16 bits, the lowest bit first */
};

struct values {
	uint8_t form; /* enum values_form */
	uint32_t n;   /* how many; with VALUES_BETWEEN 1 or 2 */
	union {
		struct {
			const uint8_t *p; /* the encoded values, at least `n`, borrowed */
			uint32_t left;	  /* bytes */
		};
		struct {
			uint64_t lo, hi;
		};
	};
};

#define WITHIN_MAX 4u

struct operation {
	uint32_t service; /* a code of the protocol's vocabulary */
	/* the targets, in the order of the vocabulary; unused ones are 0 */
	uint32_t targets[TARGET_MAX];
	/* bit n: target n stands for several devices (broadcast), so a row must name it */
	uint8_t broadcast;
	/* operations of one PDU with the same number stand next to each other and need one row that
	 * allows them all: rows are never added up */
	uint8_t group;
	uint8_t space; /* index into the vocabulary's spaces, or SPACE_NONE */
	/* its addresses cannot be known: it is allowed only by rows that do not limit addresses */
	bool place_unknown;
	/* addresses count from 0; if there is a space, count >= 1, and first + count does not
	 * overflow */
	uint64_t first, count;
	/* Number of addresses that each written value takes, where clients say it (value_sizes of
	 * the space); 0: one, or not known. */
	uint32_t value_size;
	/* Where an address is a name (a tag): the digests of the things that contain it. A row that
	 * names one of these things allows the address, too. */
	uint64_t within[WITHIN_MAX];
	uint8_t n_within;
	bool unbegun; /* it ends something whose beginning was not seen */
	/* it is part of every use, such as opening a session: any row for the target allows it,
	 * whatever services the row names */
	bool setup;
	/* bit n: target n has no meaning for the operation, so no row refuses it because of that
	 * target */
	uint8_t idle;
	uint16_t n_spelling;
	/* the address as a name in the PDU, borrowed, to be read by `spell` of the enforcer;
	 * NULL: none */
	const uint8_t *spelling;
	struct values values;
};

/* n values that begin at `at`. */
struct values values_at(enum values_form form, uint32_t n, struct bytes at);
/* The k-th written value, k < n. */
uint64_t operation_value(const struct values *v, uint32_t k);
/* A copy in which written values are replaced by their smallest and largest one, so that nothing
 * is borrowed. */
struct operation operation_kept(const struct operation *o);

#endif

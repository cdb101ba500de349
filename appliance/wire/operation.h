/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations: what a PDU of any protocol asks for, one by one. An enforcer makes them, the evaluator (evaluate.h) decides them;
 * neither knows the other. Kept ones are judged again by deciding them again. Pure data; written values are borrowed from the PDU.
 */
#ifndef SEKISHO_WIRE_OPERATION_H
#define SEKISHO_WIRE_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/vocabulary.h"

#define SPACE_NONE 255u /* touches no address */

/* How written values lie in the PDU. */
enum values_form {
	VALUES_NONE,	/* nothing is written, or nothing that a row could limit */
	VALUES_UNKNOWN, /* what the device holds afterwards cannot be known */
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
	VALUES_HEX_BITS, /* as many digits for 16 of them, which begin with the lowest bit */
};

struct values {
	uint8_t form; /* enum values_form */
	uint32_t n;   /* how many; of VALUES_BETWEEN 1 or 2 */
	union {
		struct {
			const uint8_t *p; /* at least `n` of them, borrowed */
			uint32_t left;	  /* bytes */
		};
		struct {
			uint64_t lo, hi;
		};
	};
};

#define WITHIN_MAX 4u

struct operation {
	uint32_t service;	      /* a code of the protocol's vocabulary */
	uint32_t targets[TARGET_MAX]; /* whom it is for, by the vocabulary's names; those that it does not name are 0 */
	uint8_t broadcast;	      /* bit n: target n stands for more than itself, so that a row must name it */
	uint8_t group; /* operations of one PDU with the same number stand next to each other and need one row that allows
				       * them all: rows are never added up */
	uint8_t space;	       /* index into the vocabulary's spaces, or SPACE_NONE */
	bool place_unknown;    /* what it touches cannot be known: allowed only where no address is limited */
	uint64_t first, count; /* addresses from 0; with a space count >= 1, and first + count does not overflow */
	/* Addresses that each written value takes, where clients say how many (value_sizes of the space); 0: one, or not known. */
	uint32_t value_size;
	/* Where an address names a thing by itself and not by where it lies: what that is a part of. A row that names one of these has it. */
	uint64_t within[WITHIN_MAX];
	uint8_t n_within;
	bool unbegun; /* it ends what nobody saw begin */
	bool setup; /* part of any use, as opening a session is: whoever has a row may, whatever services that names */
	uint8_t idle; /* bit n: it does not go to anybody by target n, so that no row refuses it for that */
	uint16_t n_spelling;
	const uint8_t *spelling; /* where its name lies in the PDU, borrowed: `spell` of its enforcer reads it; NULL */
	struct values values;
};

/* n values that begin at `at`. */
struct values values_at(enum values_form form, uint32_t n, struct bytes at);
/* The k-th written value, k < n. */
uint64_t operation_value(const struct values *v, uint32_t k);
/* The same operation with what it wrote kept as bounds: nothing in it is borrowed. */
struct operation operation_kept(const struct operation *o);

#endif

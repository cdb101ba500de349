/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the numbers of a protocol are written: those of its targets, of its address spaces, and any other. A number is decimal or has 0x
 * before it. Where it is made of parts it is a path, the most significant part first, joined by dots: of the parts block, byte and bit
 * "4" is all of block 4, "4.100" all of its byte 100, and the last number written may be a range, "4.100-109" or "4.100.0-3".
 * Where addresses are names, a name stands for its digest, which is printed as "#" and 16 hexadecimal digits.
 * Policies are read and everything that people read is printed by this one module, so that what is printed can be written. Pure.
 */
#ifndef SEKISHO_WIRE_NOTATION_H
#define SEKISHO_WIRE_NOTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/commands.h"
#include "appliance/wire/vocabulary.h"

struct notation {
	uint64_t max;		       /* below 2^63 */
	const struct part_info *parts; /* NULL: one number */
	unsigned n;		       /* parts, at least 1 */
	bool hex;		       /* every number has 0x before it */
	bool named;		       /* a name stands for its digest */
};

struct notation notation_plain(uint64_t max);
struct notation notation_of_target(const struct target_info *t);
struct notation notation_of_space(const struct space_info *s);

enum notation_fault {
	NOTATION_GOOD,
	NOTATION_UNREADABLE, /* no number, range or path */
	NOTATION_SEVERAL,    /* several of them in one text */
	NOTATION_BACKWARDS,  /* a range from the higher to the lower number */
	NOTATION_HIGH,	     /* a number goes beyond its part */
	NOTATION_DECIMAL,    /* 0x is missing */
	NOTATION_DEEP,	     /* more numbers than parts */
	NOTATION_EARLY,	     /* a range before the last number */
	NOTATION_NO_NAME,    /* no tag is called so */
};

/* What is wrong, and where in the text. */
struct notation_mistake {
	enum notation_fault fault;
	size_t at, width; /* bytes */
	unsigned part;	  /* NOTATION_HIGH: which one */
	uint64_t max;	  /* the same: the highest number that it has */
};

/* The range that a text names. False: *ret_wrong says what keeps it from being read; *ret is then untouched. */
bool notation_read(const struct notation *n, const char *text, struct number_range *ret,
		   struct notation_mistake *ret_wrong);
/* The highest number of a part. */
uint64_t notation_part_max(const struct notation *n, unsigned part);

#define NOTATION_TEXT 384u /* bytes that are always enough, NUL included */

/*
 * The shortest paths that name this range, in their order and joined by "," (one path where it needs no more), each of which
 * notation_read takes. `r` is inside of what the notation has; a higher end is cut. Returns the length.
 */
size_t notation_text(const struct notation *n, struct number_range r, char out[NOTATION_TEXT]);
/* "block.byte.bit", for hints and documents; of one number "number". */
void notation_form(const struct notation *n, char *out, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the numbers of a protocol are written: targets, addresses, and any other. A number is decimal
 * or has 0x before it. A number with parts is written as a path: the most significant part first,
 * joined by dots. With the parts block, byte and bit, "4" is all of block 4, and "4.100" all of its
 * byte 100. The last number may be a range: "4.100-109" or "4.100.0-3". Numbers of a part may have
 * names: "analog-output:1-20". Where addresses are names, the number is the name's digest, which is
 * printed as "#" and 16 hexadecimal digits. What manuals write before a part is read, too:
 * "ns=2;i=1001". Function codes may be a manual's four hexadecimal digits: "0101". The same module
 * reads policies and prints numbers for people, so that printed numbers can be copied into a
 * policy. Pure.
 */
#ifndef SEKISHO_WIRE_NOTATION_H
#define SEKISHO_WIRE_NOTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/commands.h"
#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"

struct notation {
	uint64_t max;		       /* below 2^63 */
	const struct part_info *parts; /* NULL: one number */
	unsigned n;		       /* parts, at least 1 */
	bool hex;		       /* every number has 0x before it */
	bool named;		       /* a name stands for its digest */
	/* number of hexadecimal digits of a name that is a thumbprint; 0 = names are tags */
	uint8_t digits;
	const struct number_names *const *names; /* by part, or NULL */
	const struct vocabulary *codes;		 /* the numbers are its function codes; or NULL */
};

struct notation notation_plain(uint64_t max);
struct notation notation_of_codes(const struct vocabulary *v);
struct notation notation_of_target(const struct target_info *t);
struct notation notation_of_space(const struct space_info *s);

enum notation_fault {
	NOTATION_GOOD,
	NOTATION_UNREADABLE, /* no number, range or path */
	NOTATION_SEVERAL,    /* several ranges in one text */
	NOTATION_BACKWARDS,  /* a range from the higher to the lower number */
	NOTATION_HIGH,	     /* a number goes beyond its part */
	NOTATION_DECIMAL,    /* 0x is missing */
	NOTATION_DEEP,	     /* more numbers than parts */
	NOTATION_EARLY,	     /* a range before the last number */
	NOTATION_NO_NAME,    /* no tag can have this name */
};

/* An error in a text, and its position. */
struct notation_mistake {
	enum notation_fault fault;
	size_t at, width; /* bytes */
	unsigned part;	  /* NOTATION_HIGH: which one */
	uint64_t max;	  /* NOTATION_HIGH: the highest number of that part */
};

/* The range that a text names. False: *ret_wrong says what is wrong; *ret is then unchanged. */
bool notation_read(const struct notation *n, const char *text, struct number_range *ret,
		   struct notation_mistake *ret_wrong);
/* The highest number of a part. */
uint64_t notation_part_max(const struct notation *n, unsigned part);

#define NOTATION_TEXT 384u /* bytes that are always enough, NUL included */

/*
 * Writes the range as the fewest paths that notation_read accepts, in ascending order and joined by
 * ",". An end beyond the notation's highest number is cut. Returns the length.
 */
size_t notation_text(const struct notation *n, struct number_range r, char out[NOTATION_TEXT]);
/* The form of a path for hints and documents, "block.byte.bit"; "number" where there is
 * one part. */
void notation_form(const struct notation *n, char *out, size_t size);

#endif

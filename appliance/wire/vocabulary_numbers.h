/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the numbers of a protocol are written, in policies and for people: those of targets, such
 * as units, and the addresses of spaces.
 */
#ifndef SEKISHO_WIRE_VOCABULARY_NUMBERS_H
#define SEKISHO_WIRE_VOCABULARY_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Parts of numbers that are written as paths, most significant part first: "4.100.3". The address
 * is still one number: each part takes `bits` of it, and the first part takes the rest. See
 * notation.h.
 */
#define PARTS_MAX 4

struct part_info {
	uint8_t bits;
	const char *what; /* name of the part in hints and documents: "byte" */
	/* what manuals write before this part instead of a dot: "ns=", ";i=". NULL: nothing */
	const char *mark;
};

/* Names that policies may write instead of numbers, in the order of the numbers. `joint` or a dot
 * joins the next part to a name. A name has no dot, no colon, and begins with a letter. */
struct number_name {
	uint32_t number;
	const char *name;
};

struct number_names {
	const struct number_name *list;
	unsigned n;
	char joint;
};

/* The word that texts for people use instead of a number of a target. Policies cannot use the
 * word. */
struct target_word {
	uint32_t number;
	const char *text, *ja; /* NULL: there is none */
};

#define TARGET_WORDS 2u

struct target_info {
	const char *key; /* in policies: "units"; also the plural of English sentences */
	uint32_t max;
	const char *one; /* in events and English sentences: "unit" */
	const char *ja;	 /* in Japanese sentences */
	/* the number `usual` means the connected device itself: sentences omit it */
	bool usual_known;
	uint32_t usual;
	bool hex;			   /* every number of it is written with 0x */
	struct part_info parts[PARTS_MAX]; /* none: one number */
	/* by part; NULL: the numbers of that part have no names. Only for numbers with parts */
	const struct number_names *names[PARTS_MAX];
	struct target_word words[TARGET_WORDS];
};

struct space_info {
	const char *key; /* in policies and events */
	/* the number by which manuals call address 0, such as 40001; 0 = manuals count from 0,
	 * too */
	uint64_t documented;
	uint64_t address_max; /* highest address, counted from 0; below 2^63 */
	bool bits;	      /* every address holds 0 or 1 */
	/* every number of it is written with 0x: "10" is refused, because manuals mean 16 by it */
	bool hex;
	bool named; /* an address is a name and its number the name's digest: tag.h */
	/* named: a name has so many hexadecimal digits (a thumbprint), and its number is the first
	 * 63 bits; 0 = the name is a tag's */
	uint8_t digits;
	/*
	 * Bit n: a written value may take 1 << n addresses, and the request says how many. A row
	 * that limits values then allows only writes of exactly one value of the row's addresses.
	 * After a write of a part of a value, or of parts of two values, the value in the device
	 * would not be known. Addresses of such a space are bits. 0: every address holds one value.
	 */
	uint8_t value_sizes;
	struct part_info parts[PARTS_MAX]; /* none: one number */
	/* as of a target */
	const struct number_names *names[PARTS_MAX];
};

#endif

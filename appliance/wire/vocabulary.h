/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command vocabulary: one set of words (read, write, control, program, diagnose) for all protocols, and per
 * protocol which function code is which, by name. The policy compiler turns words into sets of codes; the worker turns
 * codes back into words for events. Pure tables.
 */
#ifndef SEKISHO_WIRE_VOCABULARY_H
#define SEKISHO_WIRE_VOCABULARY_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"

#define CLASS_READ 1u
#define CLASS_WRITE 2u
#define CLASS_CONTROL 4u
#define CLASS_PROGRAM 8u
#define CLASS_DIAGNOSE 16u
#define CLASS_ALL 31u

/* What a service forgives its servers' answers: key `lenient`. */
#define LENIENT_TRANSACTION 1u /* 0 in the place of the transaction's number */
#define LENIENT_UNIT 2u	       /* another unit than was asked */
#define LENIENT_DUPLICATE 4u   /* one more answer to the request that was answered last */
#define LENIENT_PADDING 8u     /* one byte too many at the end */
#define LENIENT_LENGTH 16u     /* a header whose length is one too many or one too few */
#define LENIENT_NUMBERING 32u  /* a transaction's number that is one ahead, or always 1 */
#define LENIENT_COIL 64u       /* a coil that was switched on said to be 0001 */
#define LENIENT_LISTING 128u   /* who is there, in an answer whose length is 0 */
#define LENIENT_ALL 255u
#define LENIENT_WORDS 8u

/* Address spaces of a protocol's data; the names are policy keys. */
#define SPACE_MAX 64

/* Numbers by which a request names whom it is for. Modbus: the unit. */
#define TARGET_MAX 4

/* Whether common servers find the end of a request where the specification puts it. */
enum framing {
	FRAMING_ALIKE,
	FRAMING_FLUSHED, /* they do, but some do not know the function and throw away what they have of the next request */
	FRAMING_APART, /* some take another length for it: a part of it may be read as a request of its own */
};

struct function_info {
	uint32_t code, last; /* codes code..last; of most functions one */
	const char *name;    /* policy key value and event text, e.g. "read_holding_registers" */
	unsigned classes; /* CLASS_*; a function may be of several (23 reads and writes) and then needs all of them */
	uint64_t spaces;  /* bit n: may touch addresses of space n; 0 = none that this table knows of */
	unsigned untold;  /* UNTOLD_*: what no PDU of it says, so that a row which limits that refuses them all */
	enum framing framing;
};

/*
 * A function of which each operation touches so many addresses in a row, fewer only where the space ends: as registers that are read
 * together, or bits that are read as words. Of what it writes into spaces with `value_sizes`, their sizes tell.
 */
struct least_info {
	uint32_t code; /* the function's first */
	uint32_t addresses;
	bool of_bits; /* in spaces of bits alone */
};

#define UNTOLD_PLACE 1u /* which addresses it touches */
#define UNTOLD_VALUE 2u /* which values the device holds after it */

/*
 * Numbers that are written as paths, most significant part first: "4.100.3". An address is one number all the same, of which each part
 * takes `bits`; the first one takes what is left. See notation.h.
 */
#define PARTS_MAX 4

struct part_info {
	uint8_t bits;
	const char *what; /* in hints and documents: "byte" */
};

/* A number that no policy can write, as it is said to people. */
struct target_word {
	uint32_t number;
	const char *text, *ja; /* NULL: there is none */
};

#define TARGET_WORDS 2u

struct target_info {
	const char *key; /* in policies: "units"; also the plural of English sentences */
	uint32_t max;
	const char *one;  /* in events and English sentences: "unit" */
	const char *ja;	  /* in Japanese sentences */
	bool usual_known; /* `usual` stands for the device that is spoken to: sentences leave it out */
	uint32_t usual;
	bool hex;			   /* every number of it is written with 0x */
	struct part_info parts[PARTS_MAX]; /* none: one number */
	struct target_word words[TARGET_WORDS];
};

struct space_info {
	const char *key;      /* in policies and events */
	uint64_t documented;  /* what documents of devices call address 0; 0 = nothing that would be mistaken */
	uint64_t address_max; /* highest address, counted from 0; below 2^63 */
	bool bits;	      /* what it holds is 0 or 1 */
	bool hex;	      /* every number of it is written with 0x: "10" is a mistake, as documents mean 16 by it */
	bool named;	      /* an address is a name and its number the name's digest: tag.h */
	/*
	 * Clients say how many addresses a value that they write takes: 1 << n of them where bit n is set. A limit of values then binds nothing
	 * but a write of just those addresses that a row names as one, since of a part of a value, or of parts of two, nobody knows what the
	 * device holds after it. Addresses of such a space are bits. 0: every address holds one value, however it is written.
	 */
	uint8_t value_sizes;
	struct part_info parts[PARTS_MAX]; /* none: one number */
};

struct vocabulary {
	enum protocol protocol;
	const struct function_info *functions; /* sorted by code, apart from each other */
	unsigned n_functions;
	const struct least_info *leasts; /* of the others one address is enough */
	unsigned n_leasts;
	const struct target_info *targets;
	unsigned n_targets;
	const struct space_info *spaces;
	unsigned n_spaces;
	uint64_t value_max;
	uint32_t code_first, code_last; /* requests have codes from the one to the other */
	uint32_t code_max;		/* the largest that a policy may write */
	bool codes_hex;			/* codes are shown as 0x04010000 */
	enum reason refused[4];		/* by enum refusal (evaluate.h) */
};

/* vocabulary_modbus and so on: each protocol's words are in a file of its own. */
#define ENFORCED(id, name, ...) extern const struct vocabulary vocabulary_##name;
#include "appliance/wire/protocols.def"

const struct vocabulary *vocabulary_of(enum protocol p); /* NULL when the protocol has no command rules */
/* 0 when the word is none of read, write, control, program, diagnose. */
unsigned command_class(const char *word);
const char *command_class_name(unsigned class_bit);
/* Bit 1 << i of the above. */
extern const char *const lenient_words[LENIENT_WORDS];
/* NULL when the code has no name in this protocol. */
const struct function_info *function_by_code(const struct vocabulary *v, uint32_t code);
const struct function_info *function_by_name(const struct vocabulary *v, const char *name);
/* How many addresses of this space each operation of it touches, where there are as many: 1 or more. */
uint32_t function_least(const struct vocabulary *v, const struct function_info *f, unsigned space);
/* What stands for this number of a target where people read it; NULL: the number itself. */
const struct target_word *target_word(const struct target_info *t, uint64_t number);
/* Whether these addresses are one value of the space, which has `value_sizes`: those of a byte and more begin with a byte. */
bool space_value(const struct space_info *s, uint64_t lo, uint64_t hi);
/* The key of an address space; NULL when there is none of that number. `v` may be NULL. */
const char *space_key(const struct vocabulary *v, unsigned space);
/* "6", "0x04010000" */
#define CODE_TEXT 24u
void code_text(const struct vocabulary *v, uint64_t code, char out[CODE_TEXT]);
/* Codes without a name are FRAMING_APART. A row allows such a function only where it names it, by name or by code. */
enum framing function_framing(const struct vocabulary *v, uint32_t code);

#endif

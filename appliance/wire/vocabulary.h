/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command vocabulary: one set of words (read, write, control, program, diagnose) for all
 * protocols, and per protocol which function code is which, by name. The policy compiler turns
 * words into sets of codes; the worker turns codes back into words for events. Pure tables.
 */
#ifndef SEKISHO_WIRE_VOCABULARY_H
#define SEKISHO_WIRE_VOCABULARY_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/vocabulary_numbers.h"

#define CLASS_READ 1u
#define CLASS_WRITE 2u
#define CLASS_CONTROL 4u
#define CLASS_PROGRAM 8u
#define CLASS_DIAGNOSE 16u
#define CLASS_ALL 31u

/* Errors in servers' answers that a service tolerates: key `lenient`. */
#define LENIENT_TRANSACTION 1u /* transaction id 0 instead of the one of the request */
#define LENIENT_UNIT 2u	       /* another unit than in the request */
#define LENIENT_DUPLICATE 4u   /* a second answer to the last answered request */
#define LENIENT_PADDING 8u     /* one surplus byte at the end */
#define LENIENT_LENGTH 16u     /* a length in the header that is one too large or one too small */
/* Modbus: a transaction id that is one too large, or always 1; OPC UA, IEC 104: a sequence number
 * that does not follow the last one */
#define LENIENT_NUMBERING 32u
#define LENIENT_COIL 64u     /* the answer to switching a coil on has the value 0001 */
#define LENIENT_LISTING 128u /* an answer to ListIdentity whose length field is 0 */
#define LENIENT_ALL 255u
#define LENIENT_WORDS 8u

/* Address spaces of a protocol's data; the names are policy keys. */
#define SPACE_MAX 64

/* Numbers by which a request names its target. Modbus: the unit. */
#define TARGET_MAX 4

/* Whether common servers determine the end of a request as the specification says. */
enum framing {
	FRAMING_ALIKE,
	/* common servers do, but some do not know the function, and then discard the received part
	 * of the next request */
	FRAMING_FLUSHED,
	/* some servers assume another length, so they may read a part of the request as a separate
	 * request */
	FRAMING_APART,
};

struct function_info {
	uint32_t code, last; /* codes code..last; of most functions one */
	const char *name;    /* policy key value and event text, e.g. "read_holding_registers" */
	/* CLASS_*; a function may have several classes (23 reads and writes) and then needs all of
	 * them */
	unsigned classes;
	/* bit n: the function may touch addresses of space n; 0 = no known space */
	uint64_t spaces;
	/* UNTOLD_*: information that its PDUs do not contain; a row that limits such information
	 * refuses all PDUs of the function */
	unsigned untold;
	enum framing framing;
};

/* Rows of a protocol's functions.def. Without a framing, all servers find the same end. */
#define FUNCTION_RANGE(first, last, name, classes, spaces, untold)                                                     \
	{ first, last, #name, classes, spaces, untold, FRAMING_ALIKE },
#define FUNCTION_FRAMED(code, name, classes, spaces, untold, framing)                                                  \
	{ code, code, #name, classes, spaces, untold, framing },
#define FUNCTION(code, name, classes, spaces, untold) FUNCTION_RANGE(code, code, name, classes, spaces, untold)

/*
 * A function whose operations each touch at least `addresses` consecutive addresses (fewer only at
 * the end of the space), for example registers that are read together, or bits that are read as
 * words. For writes into spaces with `value_sizes` those sizes apply.
 */
struct least_info {
	uint32_t code; /* first code of the function */
	uint32_t addresses;
	bool of_bits; /* applies to spaces of bits only */
};

/*
 * Which numbers of a target the requests of some functions have, or which written values
 * (REACH_VALUES). Where several lines apply to a function, it has the numbers of all; where none
 * does, any number.
 */
#define REACH_VALUES TARGET_MAX

struct reach_info {
	uint32_t first, last; /* codes */
	uint8_t target;
	bool named; /* a row allows these numbers only if it names them */
	/* lo > hi: the requests have no such number, so no row refuses them by it */
	uint32_t lo, hi;
};

/* Two functions that belong together. */
struct pair_info {
	uint32_t code, other; /* first codes */
	uint8_t target;
};

/* How a policy may write the values of some functions, or of those with some numbers of a target;
 * elsewhere they are whole numbers from 0 on. */
enum value_form {
	VALUE_BITS_16, /* a negative number is its complement in 16 bits */
	VALUE_BITS_32, /* ... in 32 bits */
	VALUE_FLOAT,   /* IEEE 754, 32 bits */
	VALUE_BY_SIZE, /* the row's addresses say how wide a value is; 32 bits may be a float */
	VALUE_BY_TYPE, /* the request says how wide it is; 32 bits may be a float */
	VALUE_FORMS,
};

struct value_info {
	uint32_t first, last; /* codes */
	uint8_t target;	      /* REACH_VALUES: whatever the targets are */
	uint32_t lo, hi;
	uint8_t form; /* enum value_form */
};

#define UNTOLD_PLACE 1u /* the addresses that the function touches */
#define UNTOLD_VALUE 2u /* the values that the device has afterwards */
/* The function has no spaces, and some of its requests do not say which addresses they touch or
 * which values they set. A row that limits addresses or values refuses only these requests. */
#define UNTOLD_AT_TIMES 4u

/* In a vocabulary: a list, and how many it has. */
#define VOCABULARY_LIST(member, list) .member = (list), .n_##member = sizeof(list) / sizeof((list)[0])

struct vocabulary {
	enum protocol protocol;
	const struct function_info *functions; /* sorted by code, apart from each other */
	unsigned n_functions;
	const struct least_info *leasts; /* for other functions it is one address */
	unsigned n_leasts;
	const struct reach_info *reaches;
	unsigned n_reaches;
	/* a row that names `code` and limits `target` means `other`, too: the numbers of the target
	 * make two functions of what people know as one */
	const struct pair_info *siblings;
	unsigned n_siblings;
	/* a request of `code` passes only after one of `other` has passed */
	const struct pair_info *afters;
	unsigned n_afters;
	const struct value_info *values;
	unsigned n_values;
	const struct target_info *targets;
	unsigned n_targets;
	const struct space_info *spaces;
	unsigned n_spaces;
	uint64_t value_max;
	uint32_t code_first, code_last; /* range of the codes of requests */
	uint32_t code_max;		/* the largest code that a policy may write */
	/* manuals write a code as four hexadecimal digits, which stand above so many bits of it */
	bool code_digits;
	uint8_t code_below;
	uint8_t lenient;	/* LENIENT_*: the deviations that its enforcer knows */
	bool codes_hex;		/* codes are shown as 0x04010000 */
	enum reason refused[4]; /* reasons by enum refusal (evaluate.h) */
};

/* vocabulary_modbus and so on: each protocol's words are in a file of its own. */
#define ENFORCED(id, name, ...) extern const struct vocabulary vocabulary_##name;
#include "appliance/wire/protocols.def"

/* NULL when the protocol has no command rules */
const struct vocabulary *vocabulary_of(enum protocol p);
/* 0 for a word other than read, write, control, program, diagnose. */
unsigned command_class(const char *word);
const char *command_class_name(unsigned class_bit);
/* Word i stands for the bit 1 << i of LENIENT_*. */
extern const char *const lenient_words[LENIENT_WORDS];
/* NULL when the code has no name in this protocol. */
const struct function_info *function_by_code(const struct vocabulary *v, uint32_t code);
const struct function_info *function_by_name(const struct vocabulary *v, const char *name);
/* Whether the requests of a function, by its code, have numbers of this target that a row must
 * allow. */
bool function_has_target(const struct vocabulary *v, uint32_t code, unsigned target);
/* How many addresses of this space each operation of the function touches, unless the space ends
 * before: 1 or more. */
uint32_t function_least(const struct vocabulary *v, const struct function_info *f, unsigned space);
/* The word for this number of a target in texts for people; NULL: the number itself. */
const struct target_word *target_word(const struct target_info *t, uint64_t number);
/* Whether these addresses are exactly one value of the space, which has `value_sizes`. Values of a
 * byte and more begin at a byte. */
bool space_value(const struct space_info *s, uint64_t lo, uint64_t hi);
/* The key of an address space; NULL when no space has that number. `v` may be NULL. */
const char *space_key(const struct vocabulary *v, unsigned space);
/* "6", "0x04010000" */
#define CODE_TEXT 24u
void code_text(const struct vocabulary *v, uint64_t code, char out[CODE_TEXT]);
/* How common servers frame a code; a code without a name is FRAMING_APART. If not all of them
 * agree, a row allows the function only if it names the function or its code. */
enum framing function_framing(const struct vocabulary *v, uint32_t code);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * objects.def as data: the fields of each object of a generation, for code that walks through it
 * (seal.c, unseal.c, render/json.c). Constant; owns nothing.
 */
#ifndef SEKISHO_POLICY_IR_OBJECTS_H
#define SEKISHO_POLICY_IR_OBJECTS_H

#include "policy/ir/ir.h"

/*
 * The bytes of a sealed generation: constants that its writer and its reader share.
 *
 * The rule IR as canonical bytes: big-endian, no padding, counts before lists, lengths before
 * strings. Nothing in it depends on the machine, the clock or the box's permit ids.
 *
 *   magic (8) . SHA-256 of all that follows (32) . version . the rows of `ir` in objects.def .
 *   command table image
 *
 * The present version is written. All versions since the first can be read, because a box boots
 * with what an older release sealed. For this, each row names the version that introduced it. The
 * first version of the form belongs to the first release.
 */
#define IR_MAGIC "SEKISHO1"
#define IR_MAGIC_SIZE 8u
#define IR_HEADER 40u /* magic and digest */
#define IR_VERSION_FIRST 1u
#define IR_VERSION 1u
#define IR_STRING_MAX 65535u   /* names, labels, purposes; bytes */
#define IR_TEXT_MAX (8u << 20) /* one source text; bytes */

enum ir_kind {
	IR_TEXT,
	IR_SOURCE_TEXT,
	IR_FLAG,
	IR_CHOICE,
	IR_NUMBER,
	IR_TIME,
	IR_INDEX,
	IR_INDEX_OR_NONE,
	IR_INDEXES,
	IR_ADDRESS_OR_NONE,
	IR_RANGE,
	IR_RANGES,
	IR_HOSTS,
	IR_TRANSPORT,
	IR_PORTS,
	IR_LANE,
	IR_PROTOCOLS,
	IR_DIGEST,
	IR_LIST,
};

struct ir_field {
	enum ir_kind kind;
	uint32_t since;
	const char *key; /* in JSON; NULL = not shown */
	size_t at;	 /* offset in the object */
	size_t size;	 /* of the member; of an element, for lists */
	size_t also;	 /* offset of the second member: SOURCE_TEXT, PORTS, HOSTS */
	size_t n_at;	 /* offset of the count: INDEXES, RANGES, HOSTS, LIST */
	uint64_t lo, hi; /* NUMBER */
	const char *const *words;
	/* INDEX*: offset of the list in struct ir that it points into, and of its count */
	size_t list_at, list_n_at;
	const struct ir_object *of; /* LIST: its elements */
};

struct ir_object {
	const struct ir_field *fields;
	size_t n;
	size_t size; /* in memory */
};

extern const struct ir_object *const ir_generation; /* struct ir: everything else is below it */
extern const struct ir_object *const ir_permits;

/* How many bytes an object takes at least when it is sealed as that version. */
size_t ir_least(const struct ir_object *o, uint32_t version);

/* Reading and writing members without knowing their types. */
static inline uint32_t ir_count(const void *object, size_t n_at)
{
	uint32_t n;

	memcpy(&n, (const char *)object + n_at, sizeof(n));
	return n;
}

static inline const void *ir_pointer(const void *object, size_t at)
{
	const void *p;

	memcpy((void *)&p, (const char *)object + at, sizeof(p));
	return p;
}

/* An unsigned member of 1, 2, 4 or 8 bytes. */
static inline uint64_t ir_number(const void *object, size_t at, size_t size)
{
	const char *p = (const char *)object + at;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (size) {
	case 1:
		memcpy(&u8, p, 1);
		return u8;
	case 2:
		memcpy(&u16, p, 2);
		return u16;
	case 4:
		memcpy(&u32, p, 4);
		return u32;
	default:
		memcpy(&u64, p, 8);
		return u64;
	}
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/iec104/words.h"

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"
#include "dpi/iec104/iec104.h"

#define PLACES (1u << IEC104_IOA)
#define UNTOLD_UNKNOWN UNTOLD_VALUE
#define UNTOLD_NOTHING 0
#define UNTOLD_SINGLE 0
#define UNTOLD_DOUBLE 0
#define UNTOLD_TWO_BYTES 0
#define UNTOLD_FOUR_BYTES 0

/*
 * Select and execute of a command are one function; `qualifiers` distinguishes them. Setting a
 * clock and resetting a process are control. A counter interrogation that freezes or resets
 * counters is control as well, and a function of its own. Files are programs and parameters of a
 * station, so they count as programming, even when they are only read. Types that only a controlled
 * station sends have no class; they are listed for their names. Every frame begins with its length,
 * and the type alone determines that length, so all servers find the same end of a command.
 */
static const struct function_info functions[] = {
#define MONITORED(type, name, bytes, shape) { type, type, #name, 0, 0, 0, FRAMING_ALIKE },
#define COMMAND(type, name, bytes, causes, class, places, value, qualifier)                                            \
	{ type, type, #name, class, (places)*PLACES, UNTOLD_##value, FRAMING_ALIKE },
#define FILES(type, name, bytes, causes) { type, type, #name, CLASS_PROGRAM, PLACES, UNTOLD_VALUE, FRAMING_ALIKE },
#include "dpi/iec104/types.def"
	{ IEC104_FREEZES, IEC104_FREEZES, "C_CI_NA_1_FRZ", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ IEC104_SAYS(IEC104_S), IEC104_SAYS(IEC104_S), "S", 0, 0, 0, FRAMING_ALIKE },
#define SAYS(what) { IEC104_SAYS(IEC104_##what), IEC104_SAYS(IEC104_##what), #what, 0, 0, 0, FRAMING_ALIKE },
	SAYS(STARTDT_ACT) SAYS(STARTDT_CON) SAYS(STOPDT_ACT) SAYS(STOPDT_CON) SAYS(TESTFR_ACT) SAYS(TESTFR_CON)
};

/* The address of all stations is an ordinary number, which rows may name and records show. */
static const struct target_info targets[] = {
	[IEC104_CA] = { .key = "ca", .max = IEC104_CA_ALL, .one = "common address", .ja = "共通アドレス" },
	[IEC104_ORIGINATOR] = { .key = "originators",
				.max = 255,
				.one = "originator",
				.ja = "発信元アドレス",
				.usual_known = true,
				.usual = 0 },
	[IEC104_CAUSE] = { .key = "causes", .max = 255, .one = "cause", .ja = "伝送原因" },
	[IEC104_QUALIFIER] = { .key = "qualifiers",
			       .max = 0x1ff,
			       .one = "qualifier",
			       .ja = "修飾子",
			       .parts = { { 1, "select" }, { 8, "qualifier" } } },
};

#define NONE_REACHED 1, 0
#define HAS_NONE(type, target)                                                                                         \
	{                                                                                                              \
		type, type, target, false, NONE_REACHED                                                                \
	}
#define VALUE_UNKNOWN(type)                                                                                            \
	{                                                                                                              \
		type, type, REACH_VALUES, false, 0, UINT32_MAX                                                         \
	}
#define VALUE_NOTHING(type) HAS_NONE(type, REACH_VALUES)
#define VALUE_SINGLE(type)                                                                                             \
	{                                                                                                              \
		type, type, REACH_VALUES, false, 0, 1                                                                  \
	}
#define VALUE_DOUBLE(type)                                                                                             \
	{                                                                                                              \
		type, type, REACH_VALUES, false, 0, 3                                                                  \
	}
#define VALUE_TWO_BYTES(type)                                                                                          \
	{                                                                                                              \
		type, type, REACH_VALUES, false, 0, 0xffff                                                             \
	}
#define VALUE_FOUR_BYTES(type) VALUE_UNKNOWN(type)
#define QUALIFIED(type, bits)                                                                                          \
	{ type, type, IEC104_QUALIFIER, false, 0, bits },                                                              \
	{                                                                                                              \
		type, type, IEC104_QUALIFIER, false, IEC104_SELECT, IEC104_SELECT | (bits)                             \
	}
#define QUALIFIER_NONE(type) HAS_NONE(type, IEC104_QUALIFIER)
#define QUALIFIER_IN_VALUE(type) QUALIFIED(type, 0x1fu)
#define QUALIFIER_OF_SET_POINT(type) QUALIFIED(type, 0x7fu)
#define QUALIFIER_WHOLE(type)                                                                                          \
	{                                                                                                              \
		type, type, IEC104_QUALIFIER, false, 0, 255                                                            \
	}
/* A client has at most two causes for a type; test frames and negative ones have a bit more. */
#define CAUSED(type, cause)                                                                                            \
	{                                                                                                              \
		type, type, IEC104_CAUSE, false, cause, cause                                                          \
	}
#define CAUSED_BY(type, causes)                                                                                        \
	CAUSED(type, (uint32_t)__builtin_ctz(causes)), CAUSED(type, 31u - (uint32_t)__builtin_clz(causes)),            \
	{                                                                                                              \
		type, type, IEC104_CAUSE, false, IEC104_NEGATIVE, 255                                                  \
	}

/* Station 0 is not used (IEC 60870-5-104, 7.1), and a row must name all stations. */
static const struct reach_info reaches[] = {
	{ 1, IEC104_FREEZES, IEC104_CA, false, 1, IEC104_CA_ALL - 1u },
	{ 1, IEC104_FREEZES, IEC104_CA, true, IEC104_CA_ALL, IEC104_CA_ALL },
#define COMMAND(type, name, bytes, causes, class, places, value, qualifier)                                            \
	VALUE_##value(type), QUALIFIER_##qualifier(type), CAUSED_BY(type, causes),
#define FILES(type, name, bytes, causes) QUALIFIER_NONE(type), CAUSED_BY(type, causes),
#include "dpi/iec104/types.def"
	{ IEC104_FREEZES, IEC104_FREEZES, IEC104_QUALIFIER, false, 0x40, 0xff },
	VALUE_NOTHING(IEC104_FREEZES),
	CAUSED_BY(IEC104_FREEZES, CAUSE_ACT | CAUSE_DEACT),
	{ 128, 255, IEC104_QUALIFIER, false, NONE_REACHED },
};

#define WRITTEN(type, form)                                                                                            \
	{                                                                                                              \
		type, type, REACH_VALUES, 0, 0, form                                                                   \
	}

static const struct value_info values[] = {
	WRITTEN(48, VALUE_BITS_16),  WRITTEN(49, VALUE_BITS_16),  WRITTEN(50, VALUE_FLOAT),  WRITTEN(51, VALUE_BITS_32),
	WRITTEN(61, VALUE_BITS_16),  WRITTEN(62, VALUE_BITS_16),  WRITTEN(63, VALUE_FLOAT),  WRITTEN(64, VALUE_BITS_32),
	WRITTEN(110, VALUE_BITS_16), WRITTEN(111, VALUE_BITS_16), WRITTEN(112, VALUE_FLOAT),
};

static const struct space_info spaces[IEC104_SPACES] = {
	[IEC104_IOA] = { .key = "ioa", .address_max = 0xffffff },
};

const struct vocabulary vocabulary_iec104 = {
	.protocol = PROTO_IEC104,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(reaches, reaches),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = UINT32_MAX,
	.code_first = 1,
	.code_last = IEC104_SAYS(255),
	.code_max = IEC104_SAYS(255),
	.lenient = LENIENT_NUMBERING,
	.refused = { R_IEC104_FUNCTION, R_IEC104_TARGET, R_IEC104_ADDRESS, R_IEC104_VALUE },
};

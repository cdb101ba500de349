/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/dnp3/words.h"

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"

#define UNTOLD (UNTOLD_PLACE | UNTOLD_VALUE)
#define POINTS ((1u << DNP3_SPACES) - 1u)
#define SWITCHED (1u << DNP3_BINARY_OUTPUTS)
#define SET (1u << DNP3_ANALOG_OUTPUTS)
#define FROZEN (1u << DNP3_COUNTERS | 1u << DNP3_ANALOG_INPUTS)

static const struct function_info functions[] = {
#include "dpi/dnp3/functions.def"
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* Usual controls (IEEE 1815, annex A, object 12): trip and close are pulses. */
static const struct number_name operations[] = { { 0x01, "pulse_on" },	{ 0x02, "pulse_off" }, { 0x03, "latch_on" },
						 { 0x04, "latch_off" }, { 0x41, "close" },     { 0x81, "trip" } };
static const struct number_names operation_names = { operations, N(operations), '.' };

static const struct target_info targets[] = {
	[DNP3_OUTSTATION] = { .key = "outstations", .max = 65535, .one = "outstation", .ja = "アウトステーション" },
	[DNP3_MASTER] = { .key = "masters", .max = 65535, .one = "master", .ja = "マスター" },
	[DNP3_OBJECT] = { .key = "objects",
			  .max = 0xffff,
			  .one = "object",
			  .ja = "オブジェクト",
			  .parts = { { 8, "group", "g" }, { 8, "variation", "v" } } },
	[DNP3_CODE] = { .key = "operations",
			.max = 255,
			.one = "operation",
			.ja = "操作",
			.hex = true,
			.parts = { { 8, "operation" } },
			.names = { &operation_names } },
};

#define OF_GROUPS(code, target, from, to)                                                                              \
	{                                                                                                              \
		code, code, target, false, (from) << 8, (to) << 8 | 255u                                               \
	}
#define NO_OBJECT(first, last)                                                                                         \
	{                                                                                                              \
		first, last, DNP3_OBJECT, false, 1, 0                                                                  \
	}
#define NO_VALUE(first, last)                                                                                          \
	{                                                                                                              \
		first, last, REACH_VALUES, false, 1, 0                                                                 \
	}
/* A control sets an output to 0 or 1. Its objects are not those of analog outputs. */
#define CONTROLS(function)                                                                                             \
	OF_GROUPS(function, DNP3_OBJECT, 0, 40), OF_GROUPS(function, DNP3_OBJECT, 42, 255),                            \
		OF_GROUPS(DNP3_OF_ANALOG + (function), DNP3_OBJECT, 41, 41),                                           \
	{                                                                                                              \
		function, function, REACH_VALUES, false, 0, 1                                                          \
	}

static const struct reach_info reaches[] = {
	{ 0, DNP3_SELECT - 1u, DNP3_CODE, false, 1, 0 },
	{ DNP3_DIRECT_OPERATE_NR + 1u, DNP3_LINK(0, 15), DNP3_CODE, false, 1, 0 },
	NO_OBJECT(DNP3_CONFIRM, DNP3_CONFIRM),
	CONTROLS(DNP3_SELECT),
	CONTROLS(DNP3_OPERATE),
	CONTROLS(DNP3_DIRECT_OPERATE),
	CONTROLS(DNP3_DIRECT_OPERATE_NR),
	NO_VALUE(DNP3_CONFIRM, DNP3_READ),
	NO_VALUE(DNP3_FREEZE, 14),
	NO_VALUE(DNP3_INITIALIZE_APPLICATION, 18),
	NO_VALUE(DNP3_ENABLE_UNSOLICITED, 24),
	NO_VALUE(DNP3_OF_CLASSES + DNP3_READ, DNP3_OF_CLASSES + DNP3_READ),
	NO_VALUE(DNP3_OF_TIME + DNP3_READ, DNP3_OF_INDICATIONS + DNP3_WRITE),
	NO_OBJECT(13, 14),
	NO_OBJECT(23, 24),
	OF_GROUPS(DNP3_OF_CLASSES + DNP3_READ, DNP3_OBJECT, 60, 60),
	OF_GROUPS(DNP3_OF_FILES + DNP3_READ, DNP3_OBJECT, 70, 70),
	OF_GROUPS(DNP3_OF_FILES + DNP3_WRITE, DNP3_OBJECT, 70, 70),
	OF_GROUPS(DNP3_OF_TIME + DNP3_READ, DNP3_OBJECT, 50, 52),
	OF_GROUPS(DNP3_OF_TIME + DNP3_WRITE, DNP3_OBJECT, 50, 52),
	OF_GROUPS(DNP3_OF_INDICATIONS + DNP3_READ, DNP3_OBJECT, 80, 80),
	OF_GROUPS(DNP3_OF_INDICATIONS + DNP3_WRITE, DNP3_OBJECT, 80, 80),
	OF_GROUPS(DNP3_OF_TERMINALS + DNP3_READ, DNP3_OBJECT, 112, 113),
	OF_GROUPS(DNP3_OF_TERMINALS + DNP3_WRITE, DNP3_OBJECT, 112, 113),
	OF_GROUPS(DNP3_SECURE, DNP3_OBJECT, 120, 122),
	NO_OBJECT(DNP3_LINK(1, 0), DNP3_LINK(0, 15)),
};

#define ANALOG(function)                                                                                               \
	{                                                                                                              \
		function, DNP3_OF_ANALOG + (function), DNP3_OBJECT                                                     \
	}

static const struct pair_info siblings[] = {
	{ DNP3_READ, DNP3_OF_CLASSES + DNP3_READ, DNP3_OBJECT },
	ANALOG(DNP3_SELECT),
	ANALOG(DNP3_OPERATE),
	ANALOG(DNP3_DIRECT_OPERATE),
	ANALOG(DNP3_DIRECT_OPERATE_NR),
};

static const struct pair_info afters[] = {
	{ DNP3_OPERATE, DNP3_SELECT, 0 },
	{ DNP3_OF_ANALOG + DNP3_OPERATE, DNP3_OF_ANALOG + DNP3_SELECT, 0 },
};

#define SET_BY(group, variation, form)                                                                                 \
	{                                                                                                              \
		DNP3_WRITE, DNP3_OF_ANALOG + DNP3_DIRECT_OPERATE_NR, DNP3_OBJECT, (group) << 8 | (variation),          \
			(group) << 8 | (variation), form                                                               \
	}

static const struct value_info values[] = {
	SET_BY(34, 1, VALUE_BITS_16), SET_BY(34, 2, VALUE_BITS_32), SET_BY(34, 3, VALUE_FLOAT),
	SET_BY(41, 1, VALUE_BITS_32), SET_BY(41, 2, VALUE_BITS_16), SET_BY(41, 3, VALUE_FLOAT),
};

#define INDEX_MAX 0xffffffffu

static const struct space_info spaces[DNP3_SPACES] = {
#define SPACE(id, ...) [id] = __VA_ARGS__,
#include "dpi/dnp3/spaces.def"
};

const struct vocabulary vocabulary_dnp3 = {
	.protocol = PROTO_DNP3,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(reaches, reaches),
	VOCABULARY_LIST(siblings, siblings),
	VOCABULARY_LIST(afters, afters),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = UINT32_MAX,
	.code_first = 0,
	.code_last = DNP3_LINK(0, 15),
	.code_max = DNP3_LINK(0, 15),
	.refused = { R_DNP3_FUNCTION, R_DNP3_TARGET, R_DNP3_ADDRESS, R_DNP3_VALUE },
};

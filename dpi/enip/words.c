/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/enip/words.h"

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"

#define R CLASS_READ
#define W CLASS_WRITE
#define C CLASS_CONTROL
#define P CLASS_PROGRAM
#define D CLASS_DIAGNOSE

#define OBJECTS (1u << ENIP_OBJECTS)
#define ANY (1u << ENIP_OBJECTS | 1u << ENIP_TAGS)

#define COMMAND(number, name, classes) FUNCTION(ENIP_COMMAND(number), name, classes, 0, 0)
#define PCCC(command, function, name, classes)                                                                         \
	FUNCTION(ENIP_PCCC(command, function), name, classes, OBJECTS, ((classes)&W) != 0 ? UNTOLD_VALUE : 0)

static const struct function_info functions[] = {
#include "dpi/enip/functions.def"
};

static const struct target_info targets[] = {
	{ .key = "routes",
	  .max = 0xffff,
	  .one = "route",
	  .ja = "経路",
	  .usual_known = true,
	  .usual = 0,
	  .parts = { { 8, "port" }, { 8, "link" } },
	  .words = { { ENIP_ROUTE_UNKNOWN, "not known", "不明" }, { ENIP_ROUTE_FAR, "of several hops", "2 段以上" } } },
};

static const struct space_info spaces[] = {
	[ENIP_OBJECTS] = { .key = "objects",
			   .address_max = INT64_MAX,
			   .parts = { { ENIP_CLASS_BITS, "class" },
				      { ENIP_INSTANCE_BITS, "instance" },
				      { ENIP_ATTRIBUTE_BITS, "attribute" } } },
	[ENIP_TAGS] = { .key = "tags", .address_max = INT64_MAX, .named = true },
};

/* commands of the encapsulation are for the device itself */
static const struct reach_info reaches[] = { { ENIP_COMMAND(0), ENIP_COMMAND(0xffffu), 0, false, 1, 0 } };

static const struct value_info values[] = { { 0, UINT32_MAX, REACH_VALUES, 0, 0, VALUE_BY_TYPE } };

const struct vocabulary vocabulary_enip = {
	.protocol = PROTO_ENIP,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(reaches, reaches),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = UINT32_MAX,
	.code_first = 1,
	.code_last = ENIP_LAST,
	.code_max = ENIP_LAST,
	.lenient = LENIENT_LISTING,
	.codes_hex = true,
	.refused = { R_ENIP_FUNCTION, R_ENIP_ROUTE, R_ENIP_ADDRESS, R_ENIP_VALUE },
};

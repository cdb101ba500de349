/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/modbus/words.h"

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"

static const struct function_info modbus_functions[] = {
#include "dpi/modbus/functions.def"
};

static const struct least_info modbus_leasts[] = { { 24, MODBUS_QUEUE, false } };

static const struct target_info modbus_targets[] = {
	{ .key = "units", .max = 255, .one = "unit", .ja = "ユニット" },
};

static const struct space_info modbus_spaces[] = {
	[MODBUS_COILS] = { .key = "coils", .address_max = 65535, .bits = true },
	[MODBUS_DISCRETE] = { .key = "discrete", .documented = 10001, .address_max = 65535, .bits = true },
	[MODBUS_INPUT] = { .key = "input", .documented = 30001, .address_max = 65535 },
	[MODBUS_HOLDING] = { .key = "holding", .documented = 40001, .address_max = 65535 },
};

static const struct value_info values[] = { { 0, 255, REACH_VALUES, 0, 0, VALUE_BITS_16 } };

const struct vocabulary vocabulary_modbus = {
	.protocol = PROTO_MODBUS,
	VOCABULARY_LIST(functions, modbus_functions),
	VOCABULARY_LIST(leasts, modbus_leasts),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(targets, modbus_targets),
	VOCABULARY_LIST(spaces, modbus_spaces),
	.value_max = 65535,
	.code_first = 1,
	.code_last = 127,
	.code_max = 255,
	.lenient = LENIENT_ALL & ~LENIENT_LISTING,
	.refused = { R_MODBUS_FUNCTION, R_MODBUS_UNIT, R_MODBUS_ADDRESS, R_MODBUS_VALUE },
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/slmp/words.h"

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"

#define CODES(command, first, last) ((command) << 16 | (first)), ((command) << 16 | (last))
#define BIT(space) ((uint64_t)1 << (space))
#define DEVICES (BIT(SLMP_BUFFER) - 1u)
#define ANYTHING (UNTOLD_PLACE | UNTOLD_VALUE)

#define COMMAND(command, first, last, name, classes, spaces, untold)                                                   \
	FUNCTION_RANGE((command) << 16 | (first), (command) << 16 | (last), name, classes, spaces, untold)
static const struct function_info functions[] = {
#include "dpi/slmp/functions.def"
};

/*
 * The destination of a frame, seen from the module that receives it. Numbers that manuals write in
 * hexadecimal are hexadecimal in policies.
 */
static const struct target_info targets[] = {
	{ .key = "networks", .max = 255, .one = "network", .ja = "ネットワーク番号", .usual_known = true, .usual = 0 },
	{ .key = "stations", .max = 255, .one = "station", .ja = "局番", .usual_known = true, .usual = 0xff },
	{ .key = "modules",
	  .max = 65535,
	  .one = "module",
	  .ja = "ユニット I/O 番号",
	  .usual_known = true,
	  .usual = 0x3ff,
	  .hex = true },
	{ .key = "multidrops",
	  .max = 255,
	  .one = "multidrop",
	  .ja = "マルチドロップ局番",
	  .usual_known = true,
	  .usual = 0 },
};

#define IS_BIT true
#define IS_WORD false
#define IS_LONG false
#define IS_TIMER false

static const struct space_info spaces[SLMP_SPACES] = {
#define DEVICE(name, word, code, what, base, ascii, brief)                                                             \
	[SLMP_##name] = { .key = #word, .address_max = UINT32_MAX, .bits = IS_##what, .hex = (base) == 16 },
#include "dpi/slmp/devices.def"
	[SLMP_BUFFER] = { .key = "buffer", .address_max = UINT32_MAX },
	[SLMP_MODULE_BUFFER] = { .key = "module_buffer",
				 .address_max = 0xffffffffffff,
				 .parts = { { 16, "module" }, { 32, "byte" } } },
};

/* Bits that are accessed by words. */
static const struct least_info leasts[] = {
	{ 0x04030000, 16, true }, /* random_read */
	{ 0x04060000, 16, true }, /* block_read */
	{ 0x08010000, 16, true }, /* monitor_register */
	{ 0x14060000, 16, true }, /* block_write */
};

/* a monitor reads the devices that were registered before */
static const struct pair_info afters[] = { { 0x08020000, 0x08010000, 0 } };

static const struct value_info values[] = {
	{ 0, 0x14010083u, REACH_VALUES, 0, 0, VALUE_BITS_16 },
	/* words and long words */
	{ CODES(0x1402u, 0, 0xffff), REACH_VALUES, 0, 0, VALUE_BITS_16 },
	{ CODES(0x1402u, 0, 0xffff), REACH_VALUES, 0, 0, VALUE_BITS_32 },
	{ CODES(0x1406u, 0, 0xffff), REACH_VALUES, 0, 0, VALUE_BITS_16 },
	{ CODES(0x1613u, 0, 0xffff), REACH_VALUES, 0, 0, VALUE_BITS_16 },
};

const struct vocabulary vocabulary_slmp = {
	.protocol = PROTO_SLMP,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(leasts, leasts),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(afters, afters),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = UINT32_MAX,
	.code_first = 0x00010000,
	.code_last = UINT32_MAX,
	.code_max = UINT32_MAX,
	.lenient = LENIENT_TRANSACTION | LENIENT_UNIT,
	.codes_hex = true,
	.code_digits = true,
	.code_below = 16,
	.refused = { R_SLMP_FUNCTION, R_SLMP_TARGET, R_SLMP_ADDRESS, R_SLMP_VALUE },
};

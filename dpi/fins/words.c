/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/fins/words.h"

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"

#define UNTOLD (UNTOLD_PLACE | UNTOLD_VALUE)
#define MEMORY (((uint64_t)1 << FINS_SPACES) - 1u)

static const struct function_info functions[] = {
#include "dpi/fins/functions.def"
};

/* The destination of a command, and its sender by the same three numbers. Omron writes units in
 * hexadecimal. */
static const struct target_info targets[] = {
	{ .key = "networks",
	  .max = 127,
	  .one = "network",
	  .ja = "ネットワークアドレス",
	  .usual_known = true,
	  .usual = 0 },
	{ .key = "nodes",
	  .max = 255,
	  .one = "node",
	  .ja = "ノードアドレス",
	  .words = { { 255, "all nodes", "全ノード" } } },
	{ .key = "units",
	  .max = 255,
	  .one = "unit",
	  .ja = "号機アドレス",
	  .usual_known = true,
	  .usual = 0,
	  .hex = true },
	{ .key = "senders",
	  .max = 0x7fffff,
	  .one = "sender",
	  .ja = "送信元",
	  .parts = { { 8, "network" }, { 8, "node" }, { 8, "unit" } } },
};

#define SIZES (1u << 0 | 1u << 4) /* a bit, a word; the area code says which of them is written */
#define BY_BITS(name)                                                                                                  \
	{                                                                                                              \
		.key = (name), .address_max = 0xfffff, .value_sizes = SIZES, .parts = { { 16, "word" }, { 4, "bit" } } \
	}

static const struct space_info spaces[FINS_SPACES] = {
#define SPACE(id, ...) [id] = __VA_ARGS__,
#include "dpi/fins/spaces.def"
};

static const struct value_info values[] = { { 0, UINT32_MAX, REACH_VALUES, 0, 0, VALUE_BITS_16 } };

const struct vocabulary vocabulary_fins = {
	.protocol = PROTO_FINS,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = 65535,
	.code_first = FINS_TCP(0),
	.code_last = UINT32_MAX,
	.code_max = UINT32_MAX,
	.lenient = LENIENT_TRANSACTION | LENIENT_UNIT,
	.codes_hex = true,
	.code_digits = true,
	.code_below = 16,
	.refused = { R_FINS_FUNCTION, R_FINS_TARGET, R_FINS_ADDRESS, R_FINS_VALUE },
};

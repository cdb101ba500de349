/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/s7comm/words.h"

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"

#define UNTOLD (UNTOLD_PLACE | UNTOLD_VALUE)
#define PLACES                                                                                                         \
	(1u << S7_INPUTS | 1u << S7_OUTPUTS | 1u << S7_FLAGS | 1u << S7_PERIPHERALS | 1u << S7_DB |                    \
	 1u << S7_COUNTERS | 1u << S7_TIMERS)

static const struct function_info functions[] = {
#include "dpi/s7comm/functions.def"
};

/* rack * 32 + slot, as the called TSAP has it */
static const struct target_info targets[] = { { .key = "slots", .max = 255, .one = "slot", .ja = "スロット" } };

/* Bit addresses, byte * 8 + bit; in data blocks with the block number in the higher bits. */
#define AREA_LAST (((uint64_t)1 << S7_AREA_BITS) - 1u)
#define BYTE_BITS (S7_AREA_BITS - 3u)
/* bit, byte, word, double word: a client states the size of what it writes */
#define SIZES (1u << 0 | 1u << 3 | 1u << 4 | 1u << 5)
#define AREA(name)                                                                                                     \
	{                                                                                                              \
		.key = (name), .address_max = AREA_LAST, .value_sizes = SIZES, .parts = {                              \
			{ BYTE_BITS, "byte" },                                                                         \
			{ 3, "bit" }                                                                                   \
		}                                                                                                      \
	}

static const struct space_info spaces[] = {
#define SPACE(id, ...) [id] = __VA_ARGS__,
#include "dpi/s7comm/spaces.def"
};

static const struct value_info values[] = { { 0, UINT32_MAX, REACH_VALUES, 0, 0, VALUE_BY_SIZE } };

const struct vocabulary vocabulary_s7comm = {
	.protocol = PROTO_S7COMM,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = UINT32_MAX,
	.code_first = S7_TPDU(0),
	.code_last = S7_SUB(0x3f, 0xff),
	.code_max = S7_SUB(0x3f, 0xff),
	.codes_hex = true,
	.refused = { R_S7COMM_FUNCTION, R_S7COMM_TARGET, R_S7COMM_ADDRESS, R_S7COMM_VALUE },
};

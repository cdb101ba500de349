/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/memobus/words.h"

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"

#define UNTOLD (UNTOLD_PLACE | UNTOLD_VALUE)
#define WORDS (0x1fu << MEMOBUS_MW)
#define BITS (0x1fu << MEMOBUS_MB)
#define ONE(space) (1u << (space))

static const struct function_info functions[] = {
#include "dpi/memobus/functions.def"
};

/* CPU numbers of 4 bits (2.16, "CPU number"): the destination and the sender of a message.
 * Channels: destination and source (2.16, "218 Header"); 0 if the end is no controller of the MP
 * series. */
static const struct target_info targets[] = {
	[MEMOBUS_CPU] = { .key = "cpus", .max = 15, .one = "CPU", .ja = "CPU 番号" },
	[MEMOBUS_SENDER] = { .key = "senders", .max = 15, .one = "sender", .ja = "送信元 CPU 番号" },
	[MEMOBUS_CHANNEL] = { .key = "channels",
			      .max = 0xffff,
			      .one = "channel",
			      .ja = "チャンネル番号",
			      .usual_known = true,
			      .usual = 0,
			      .parts = { { 8, "destination" }, { 8, "source" } } },
};

#define BITS_OF(name)                                                                                                  \
	{                                                                                                              \
		.key = (name), .address_max = UINT32_MAX, .bits = true, .parts = { { 28, "word" }, { 4, "bit" } }      \
	}
#define WORDS_OF(name)                                                                                                 \
	{                                                                                                              \
		.key = (name), .address_max = UINT32_MAX                                                               \
	}

static const struct space_info spaces[MEMOBUS_SPACES] = {
#define SPACE(id, ...) [id] = __VA_ARGS__,
#include "dpi/memobus/spaces.def"
};

/* general-purpose messages have no CPU numbers */
static const struct reach_info reaches[] = {
	{ MEMOBUS_GENERAL, MEMOBUS_GENERAL, MEMOBUS_CPU, false, 1, 0 },
	{ MEMOBUS_GENERAL, MEMOBUS_GENERAL, MEMOBUS_SENDER, false, 1, 0 },
};

static const struct value_info values[] = { { 0, UINT32_MAX, REACH_VALUES, 0, 0, VALUE_BITS_16 } };

const struct vocabulary vocabulary_memobus = {
	.protocol = PROTO_MEMOBUS,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(reaches, reaches),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = 65535,
	.code_first = 0x0100,
	.code_last = MEMOBUS_GENERAL,
	.code_max = MEMOBUS_GENERAL,
	.lenient = LENIENT_TRANSACTION | LENIENT_UNIT,
	.codes_hex = true,
	.code_digits = true,
	.refused = { R_MEMOBUS_FUNCTION, R_MEMOBUS_TARGET, R_MEMOBUS_ADDRESS, R_MEMOBUS_VALUE },
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/memobus/words.h"

#include "appliance/wire/vocabulary.h"

#define UNTOLD (UNTOLD_PLACE | UNTOLD_VALUE)
#define WORDS (0x1fu << MEMOBUS_MW)
#define BITS (0x1fu << MEMOBUS_MB)
#define ONE(space) (1u << (space))

/*
 * MP3000 Series Communications User's Manual (SIEP C880725 12), 2.16: MFC 20 and 43. MP920
 * Communications Module User's Manual, B.1.1: SFC 31 to 33. Ladder Works Programming Manual, table
 * 9.13: SFC 21 to 3F and 40 to 4F are reserved for the system and not described, so they count as
 * programming. The receiver's program decides where the data of a general-purpose message go. Items
 * of the lists of SFC 4D and 4E may be words or long words, so such lists have no address space
 * here. Every message begins with its length, so all receivers find the same end.
 */
static const struct function_info functions[] = {
	{ 0x2001, 0x2001, "read_coils", CLASS_READ, ONE(MEMOBUS_COILS), 0, FRAMING_ALIKE },
	{ 0x2002, 0x2002, "read_input_relays", CLASS_READ, ONE(MEMOBUS_RELAYS), 0, FRAMING_ALIKE },
	{ 0x2003, 0x2003, "read_holding_registers", CLASS_READ, ONE(MEMOBUS_HOLDING), 0, FRAMING_ALIKE },
	{ 0x2004, 0x2004, "read_input_registers", CLASS_READ, ONE(MEMOBUS_INPUT), 0, FRAMING_ALIKE },
	{ 0x2005, 0x2005, "write_single_coil", CLASS_WRITE, ONE(MEMOBUS_COILS), 0, FRAMING_ALIKE },
	{ 0x2006, 0x2006, "write_single_register", CLASS_WRITE, ONE(MEMOBUS_HOLDING), 0, FRAMING_ALIKE },
	{ 0x2008, 0x2008, "loopback_test", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x2009, 0x2009, "read_holding_registers_extended", CLASS_READ, ONE(MEMOBUS_HOLDING), 0, FRAMING_ALIKE },
	{ 0x200a, 0x200a, "read_input_registers_extended", CLASS_READ, ONE(MEMOBUS_INPUT), 0, FRAMING_ALIKE },
	{ 0x200b, 0x200b, "write_holding_registers_extended", CLASS_WRITE, ONE(MEMOBUS_HOLDING), 0, FRAMING_ALIKE },
	{ 0x200d, 0x200d, "read_holding_registers_apart", CLASS_READ, ONE(MEMOBUS_HOLDING), 0, FRAMING_ALIKE },
	{ 0x200e, 0x200e, "write_holding_registers_apart", CLASS_WRITE, ONE(MEMOBUS_HOLDING), 0, FRAMING_ALIKE },
	{ 0x200f, 0x200f, "write_multiple_coils", CLASS_WRITE, ONE(MEMOBUS_COILS), 0, FRAMING_ALIKE },
	{ 0x2010, 0x2010, "write_multiple_registers", CLASS_WRITE, ONE(MEMOBUS_HOLDING), 0, FRAMING_ALIKE },
	{ 0x2021, 0x2030, "system_21_to_30", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x2031, 0x2031, "melsec_fixed_buffer", CLASS_WRITE, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x2032, 0x2032, "melsec_read_random_buffer", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_ALIKE },
	{ 0x2033, 0x2033, "melsec_write_random_buffer", CLASS_WRITE, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x2034, 0x204f, "system_34_to_4f", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x4341, 0x4341, "read_bits", CLASS_READ, BITS, 0, FRAMING_ALIKE },
	{ 0x4345, 0x4345, "write_single_bit", CLASS_WRITE, BITS, 0, FRAMING_ALIKE },
	{ 0x4346, 0x4346, "write_register", CLASS_WRITE, WORDS, 0, FRAMING_ALIKE },
	{ 0x4349, 0x4349, "read_registers", CLASS_READ, WORDS, 0, FRAMING_ALIKE },
	{ 0x434b, 0x434b, "write_registers", CLASS_WRITE, WORDS, 0, FRAMING_ALIKE },
	{ 0x434d, 0x434d, "read_registers_apart", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_ALIKE },
	{ 0x434e, 0x434e, "write_registers_apart", CLASS_WRITE, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x434f, 0x434f, "write_bits", CLASS_WRITE, BITS, 0, FRAMING_ALIKE },
	{ 0x120000, 0x120000, "general_message", CLASS_WRITE, 0, UNTOLD, FRAMING_ALIKE },
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
	[MEMOBUS_COILS] = { .key = "coils", .address_max = 65535, .bits = true },
	[MEMOBUS_RELAYS] = { .key = "relays", .address_max = 65535, .bits = true },
	[MEMOBUS_INPUT] = { .key = "input", .address_max = 65535 },
	[MEMOBUS_HOLDING] = { .key = "holding", .address_max = 65535 },
	[MEMOBUS_MW] = WORDS_OF("mw"),
	[MEMOBUS_GW] = WORDS_OF("gw"),
	[MEMOBUS_IW] = WORDS_OF("iw"),
	[MEMOBUS_OW] = WORDS_OF("ow"),
	[MEMOBUS_SW] = WORDS_OF("sw"),
	[MEMOBUS_MB] = BITS_OF("mb"),
	[MEMOBUS_GB] = BITS_OF("gb"),
	[MEMOBUS_IB] = BITS_OF("ib"),
	[MEMOBUS_OB] = BITS_OF("ob"),
	[MEMOBUS_SB] = BITS_OF("sb"),
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

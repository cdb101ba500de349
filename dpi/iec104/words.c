/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/iec104/words.h"

#include "appliance/wire/vocabulary.h"

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

static const struct space_info spaces[IEC104_SPACES] = {
	[IEC104_IOA] = { .key = "ioa", .address_max = 0xffffff },
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

const struct vocabulary vocabulary_iec104 = {
	.protocol = PROTO_IEC104,
	.functions = functions,
	.n_functions = N(functions),
	.targets = targets,
	.n_targets = N(targets),
	.spaces = spaces,
	.n_spaces = N(spaces),
	.value_max = UINT32_MAX,
	.code_first = 1,
	.code_last = IEC104_SAYS(255),
	.code_max = IEC104_SAYS(255),
	.lenient = LENIENT_NUMBERING,
	.refused = { R_IEC104_FUNCTION, R_IEC104_TARGET, R_IEC104_ADDRESS, R_IEC104_VALUE },
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/slmp/words.h"

#include "appliance/wire/vocabulary.h"

#define CODES(command, first, last) ((command) << 16 | (first)), ((command) << 16 | (last))
#define BIT(space) ((uint64_t)1 << (space))
#define DEVICES (BIT(SLMP_BUFFER) - 1u)
#define ANYTHING (UNTOLD_PLACE | UNTOLD_VALUE)

/*
 * SLMP reference manual (SH-080956), MELSEC communication protocol reference manual (SH-080008). A
 * code is the command and the subcommand, 16 bits each. In device commands, the subcommands 0 and 1
 * access words and bits; 2 and 3 do the same with the longer device numbers of iQ-R. 0080 to 0083
 * are the extended forms of 0 to 3, whose devices may be in another module or network, or be given
 * by a register. A remote run may clear devices. A label may stand for any device. All servers that
 * were examined go by the length of a frame, so they find the same commands.
 */
static const struct function_info functions[] = {
	{ CODES(0x0101u, 0, 0), "read_type_name", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ CODES(0x0401u, 0, 3), "batch_read", CLASS_READ, DEVICES, 0, FRAMING_ALIKE },
	{ CODES(0x0401u, 0x80, 0x83), "batch_read_extended", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_ALIKE },
	{ CODES(0x0403u, 0, 3), "random_read", CLASS_READ, DEVICES, 0, FRAMING_ALIKE },
	{ CODES(0x0403u, 0x80, 0x83), "random_read_extended", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_ALIKE },
	{ CODES(0x0406u, 0, 3), "block_read", CLASS_READ, DEVICES, 0, FRAMING_ALIKE },
	{ CODES(0x0406u, 0x80, 0x83), "block_read_extended", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_ALIKE },
	{ CODES(0x041au, 0, 0), "array_label_read", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_ALIKE },
	{ CODES(0x041cu, 0, 0), "label_read", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_ALIKE },
	{ CODES(0x0601u, 0, 0), "module_buffer_read", CLASS_READ, BIT(SLMP_MODULE_BUFFER), 0, FRAMING_ALIKE },
	{ CODES(0x0613u, 0, 0), "buffer_read", CLASS_READ, BIT(SLMP_BUFFER), 0, FRAMING_ALIKE },
	{ CODES(0x0619u, 0, 0), "self_test", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ CODES(0x0801u, 0, 3), "monitor_register", CLASS_READ, DEVICES, 0, FRAMING_ALIKE },
	{ CODES(0x0801u, 0x80, 0x83), "monitor_register_extended", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_ALIKE },
	{ CODES(0x0802u, 0, 0), "monitor", CLASS_READ, DEVICES, 0, FRAMING_ALIKE },
	{ CODES(0x0e30u, 0, 0), "node_search", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ CODES(0x0e31u, 0, 0), "set_ip_address", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x0e33u, 0, 0), "parameter_get", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x0e34u, 0, 0), "parameter_set", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1001u, 0, 0), "remote_run", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ CODES(0x1002u, 0, 0), "remote_stop", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ CODES(0x1003u, 0, 0), "remote_pause", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ CODES(0x1005u, 0, 0), "remote_latch_clear", CLASS_CONTROL | CLASS_WRITE, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1006u, 0, 0), "remote_reset", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ CODES(0x1401u, 0, 3), "batch_write", CLASS_WRITE, DEVICES, 0, FRAMING_ALIKE },
	{ CODES(0x1401u, 0x80, 0x83), "batch_write_extended", CLASS_WRITE, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1402u, 0, 3), "random_write", CLASS_WRITE, DEVICES, 0, FRAMING_ALIKE },
	{ CODES(0x1402u, 0x80, 0x83), "random_write_extended", CLASS_WRITE, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1406u, 0, 3), "block_write", CLASS_WRITE, DEVICES, 0, FRAMING_ALIKE },
	{ CODES(0x1406u, 0x80, 0x83), "block_write_extended", CLASS_WRITE, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x141au, 0, 0), "array_label_write", CLASS_WRITE, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x141bu, 0, 0), "label_write", CLASS_WRITE, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1601u, 0, 0), "module_buffer_write", CLASS_WRITE, BIT(SLMP_MODULE_BUFFER), UNTOLD_VALUE,
	  FRAMING_ALIKE },
	{ CODES(0x1613u, 0, 0), "buffer_write", CLASS_WRITE, BIT(SLMP_BUFFER), 0, FRAMING_ALIKE },
	{ CODES(0x1617u, 0, 1), "clear_error", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ CODES(0x1630u, 0, 0), "remote_unlock", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ CODES(0x1631u, 0, 0), "remote_lock", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ CODES(0x1810u, 0, 0xffff), "read_directory", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1811u, 0, 0xffff), "search_file", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1820u, 0, 0xffff), "new_file", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1822u, 0, 0xffff), "delete_file", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1824u, 0, 0xffff), "copy_file", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1825u, 0, 0xffff), "change_file_attribute", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1826u, 0, 0xffff), "change_file_date", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1827u, 0, 0xffff), "open_file", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1828u, 0, 0xffff), "read_file", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x1829u, 0, 0xffff), "write_file", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x182au, 0, 0xffff), "close_file", CLASS_PROGRAM, 0, ANYTHING, FRAMING_ALIKE },
	{ CODES(0x2101u, 0, 0), "on_demand", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_ALIKE },
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

#define DEVICE(name) .key = (name), .address_max = UINT32_MAX

static const struct space_info spaces[SLMP_SPACES] = {
	[SLMP_SM] = { DEVICE("sm"), .bits = true },
	[SLMP_SD] = { DEVICE("sd") },
	[SLMP_X] = { DEVICE("x"), .bits = true, .hex = true },
	[SLMP_Y] = { DEVICE("y"), .bits = true, .hex = true },
	[SLMP_M] = { DEVICE("m"), .bits = true },
	[SLMP_L] = { DEVICE("l"), .bits = true },
	[SLMP_F] = { DEVICE("f"), .bits = true },
	[SLMP_V] = { DEVICE("v"), .bits = true },
	[SLMP_B] = { DEVICE("b"), .bits = true, .hex = true },
	[SLMP_D] = { DEVICE("d") },
	[SLMP_W] = { DEVICE("w"), .hex = true },
	[SLMP_TS] = { DEVICE("ts"), .bits = true },
	[SLMP_TC] = { DEVICE("tc"), .bits = true },
	[SLMP_TN] = { DEVICE("tn") },
	[SLMP_STS] = { DEVICE("sts"), .bits = true },
	[SLMP_STC] = { DEVICE("stc"), .bits = true },
	[SLMP_STN] = { DEVICE("stn") },
	[SLMP_CS] = { DEVICE("cs"), .bits = true },
	[SLMP_CC] = { DEVICE("cc"), .bits = true },
	[SLMP_CN] = { DEVICE("cn") },
	[SLMP_LTS] = { DEVICE("lts"), .bits = true },
	[SLMP_LTC] = { DEVICE("ltc"), .bits = true },
	[SLMP_LTN] = { DEVICE("ltn") },
	[SLMP_LSTS] = { DEVICE("lsts"), .bits = true },
	[SLMP_LSTC] = { DEVICE("lstc"), .bits = true },
	[SLMP_LSTN] = { DEVICE("lstn") },
	[SLMP_LCS] = { DEVICE("lcs"), .bits = true },
	[SLMP_LCC] = { DEVICE("lcc"), .bits = true },
	[SLMP_LCN] = { DEVICE("lcn") },
	[SLMP_SB] = { DEVICE("sb"), .bits = true, .hex = true },
	[SLMP_SW] = { DEVICE("sw"), .hex = true },
	[SLMP_DX] = { DEVICE("dx"), .bits = true, .hex = true },
	[SLMP_DY] = { DEVICE("dy"), .bits = true, .hex = true },
	[SLMP_S] = { DEVICE("s"), .bits = true },
	[SLMP_Z] = { DEVICE("z") },
	[SLMP_LZ] = { DEVICE("lz") },
	[SLMP_R] = { DEVICE("r") },
	[SLMP_ZR] = { DEVICE("zr") },
	[SLMP_RD] = { DEVICE("rd") },
	[SLMP_BUFFER] = { DEVICE("buffer") },
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

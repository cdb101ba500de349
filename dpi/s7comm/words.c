/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/s7comm/words.h"

#include "appliance/wire/vocabulary.h"

#define UNTOLD (UNTOLD_PLACE | UNTOLD_VALUE)
#define PLACES                                                                                                         \
	(1u << S7_INPUTS | 1u << S7_OUTPUTS | 1u << S7_FLAGS | 1u << S7_PERIPHERALS | 1u << S7_DB |                    \
	 1u << S7_COUNTERS | 1u << S7_TIMERS)

/*
 * Siemens published no list; names and meanings are those that snap7, libnodave and Wireshark's
 * dissector share. Functions that open and end a session have no class, because every use needs
 * them. An upload counts as programming, because it copies the program out of the controller. Jobs
 * of tests (group 1) are managed by their own numbers; the values that they write were set when the
 * job was made.
 */
static const struct function_info functions[] = {
	{ S7_TPDU(0x70), S7_TPDU(0x70), "error_tpdu", 0, 0, 0, FRAMING_ALIKE },
	{ S7_TPDU(0x80), S7_TPDU(0x80), "disconnect", 0, 0, 0, FRAMING_ALIKE },
	{ S7_TPDU(0xd0), S7_TPDU(0xd0), "confirm_connection", 0, 0, 0, FRAMING_ALIKE },
	{ S7_TPDU(0xe0), S7_TPDU(0xe0), "connect", 0, 0, 0, FRAMING_ALIKE },
	{ S7_FUNCTION(S7_READ), S7_FUNCTION(S7_READ), "read_var", CLASS_READ, PLACES, 0, FRAMING_ALIKE },
	{ S7_FUNCTION(S7_WRITE), S7_FUNCTION(S7_WRITE), "write_var", CLASS_WRITE, PLACES, 0, FRAMING_ALIKE },
	{ S7_FUNCTION(S7_REQUEST_DOWNLOAD), S7_FUNCTION(S7_REQUEST_DOWNLOAD), "request_download", CLASS_PROGRAM, 0, 0,
	  FRAMING_ALIKE },
	{ S7_FUNCTION(S7_DOWNLOAD_BLOCK), S7_FUNCTION(S7_DOWNLOAD_BLOCK), "download_block", CLASS_PROGRAM, 0, 0,
	  FRAMING_ALIKE },
	{ S7_FUNCTION(S7_DOWNLOAD_ENDED), S7_FUNCTION(S7_DOWNLOAD_ENDED), "download_ended", CLASS_PROGRAM, 0, 0,
	  FRAMING_ALIKE },
	{ S7_FUNCTION(S7_START_UPLOAD), S7_FUNCTION(S7_START_UPLOAD), "start_upload", CLASS_PROGRAM, 0, 0,
	  FRAMING_ALIKE },
	{ S7_FUNCTION(S7_UPLOAD), S7_FUNCTION(S7_UPLOAD), "upload", CLASS_PROGRAM, 0, 0, FRAMING_ALIKE },
	{ S7_FUNCTION(S7_END_UPLOAD), S7_FUNCTION(S7_END_UPLOAD), "end_upload", CLASS_PROGRAM, 0, 0, FRAMING_ALIKE },
	{ S7_FUNCTION(S7_PI) | S7_PI_OTHER, S7_FUNCTION(S7_PI) | S7_PI_OTHER, "pi_service",
	  CLASS_WRITE | CLASS_CONTROL | CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ S7_FUNCTION(S7_PI) | S7_PI_INSERT, S7_FUNCTION(S7_PI) | S7_PI_INSERT, "insert_block", CLASS_PROGRAM, 0, 0,
	  FRAMING_ALIKE },
	{ S7_FUNCTION(S7_PI) | S7_PI_DELETE, S7_FUNCTION(S7_PI) | S7_PI_DELETE, "delete_block", CLASS_PROGRAM, 0, 0,
	  FRAMING_ALIKE },
	{ S7_FUNCTION(S7_PI) | S7_PI_START, S7_FUNCTION(S7_PI) | S7_PI_START, "plc_start", CLASS_CONTROL, 0, 0,
	  FRAMING_ALIKE },
	{ S7_FUNCTION(S7_PI) | S7_PI_START_COLD, S7_FUNCTION(S7_PI) | S7_PI_START_COLD, "plc_start_cold", CLASS_CONTROL,
	  0, 0, FRAMING_ALIKE },
	{ S7_FUNCTION(S7_PI) | S7_PI_RAM_TO_ROM, S7_FUNCTION(S7_PI) | S7_PI_RAM_TO_ROM, "copy_ram_to_rom",
	  CLASS_PROGRAM, 0, 0, FRAMING_ALIKE },
	{ S7_FUNCTION(S7_PI) | S7_PI_COMPRESS, S7_FUNCTION(S7_PI) | S7_PI_COMPRESS, "compress_memory", CLASS_PROGRAM, 0,
	  0, FRAMING_ALIKE },
	{ S7_FUNCTION(S7_STOP), S7_FUNCTION(S7_STOP), "plc_stop", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ S7_FUNCTION(S7_SETUP), S7_FUNCTION(S7_SETUP), "setup_communication", 0, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x01), S7_SUB(S7_TEST, 0x01), "block_status", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x02), S7_SUB(S7_TEST, 0x02), "variable_status", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x03), S7_SUB(S7_TEST, 0x06), "read_stacks", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x07), S7_SUB(S7_TEST, 0x07), "force_selection", CLASS_DIAGNOSE | CLASS_CONTROL, 0, UNTOLD,
	  FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x08), S7_SUB(S7_TEST, 0x08), "modify_variable", CLASS_WRITE, 0, UNTOLD, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x09), S7_SUB(S7_TEST, 0x09), "force", CLASS_WRITE | CLASS_CONTROL, 0, UNTOLD,
	  FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x0a), S7_SUB(S7_TEST, 0x0a), "breakpoint", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x0b), S7_SUB(S7_TEST, 0x0b), "exit_hold", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x0c), S7_SUB(S7_TEST, 0x0c), "memory_reset", CLASS_CONTROL | CLASS_PROGRAM, 0, 0,
	  FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x0d), S7_SUB(S7_TEST, 0x0d), "disable_job", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x0e), S7_SUB(S7_TEST, 0x0e), "enable_job", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x0f), S7_SUB(S7_TEST, 0x0f), "delete_job", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x10), S7_SUB(S7_TEST, 0x11), "read_jobs", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x12), S7_SUB(S7_TEST, 0x12), "replace_job", CLASS_WRITE | CLASS_CONTROL, 0, UNTOLD,
	  FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x13), S7_SUB(S7_TEST, 0x13), "block_status_2", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TEST, 0x16), S7_SUB(S7_TEST, 0x16), "flash_led", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_CYCLIC, 0x01), S7_SUB(S7_CYCLIC, 0x01), "cyclic_read", CLASS_READ, PLACES, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_CYCLIC, 0x04), S7_SUB(S7_CYCLIC, 0x04), "cyclic_end", CLASS_READ, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_CYCLIC, 0x05), S7_SUB(S7_CYCLIC, 0x05), "read_on_change", CLASS_READ, PLACES, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_CYCLIC, 0x07), S7_SUB(S7_CYCLIC, 0x08), "read_otherwise", CLASS_READ, 0, UNTOLD_PLACE,
	  FRAMING_ALIKE },
	{ S7_SUB(S7_BLOCKS, 0x01), S7_SUB(S7_BLOCKS, 0x01), "list_blocks", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_BLOCKS, 0x02), S7_SUB(S7_BLOCKS, 0x02), "list_blocks_of_type", CLASS_DIAGNOSE, 0, 0,
	  FRAMING_ALIKE },
	{ S7_SUB(S7_BLOCKS, 0x03), S7_SUB(S7_BLOCKS, 0x03), "block_info", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_CPU, 0x01), S7_SUB(S7_CPU, 0x01), "read_szl", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_CPU, 0x02), S7_SUB(S7_CPU, 0x02), "message_service", CLASS_READ, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_CPU, 0x07), S7_SUB(S7_CPU, 0x08), "lock_alarms", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_CPU, 0x0b), S7_SUB(S7_CPU, 0x0b), "acknowledge_alarm", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_CPU, 0x13), S7_SUB(S7_CPU, 0x13), "alarm_query", CLASS_READ, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_SECURITY, 0x01), S7_SUB(S7_SECURITY, 0x02), "password", CLASS_PROGRAM, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_PBC, 0x00), S7_SUB(S7_PBC, 0xff), "block_send", CLASS_WRITE, 0, UNTOLD, FRAMING_ALIKE },
	{ S7_SUB(S7_TIME, 0x01), S7_SUB(S7_TIME, 0x01), "read_clock", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TIME, 0x02), S7_SUB(S7_TIME, 0x02), "set_clock", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TIME, 0x03), S7_SUB(S7_TIME, 0x03), "read_clock_following", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_TIME, 0x04), S7_SUB(S7_TIME, 0x04), "set_clock_2", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ S7_SUB(S7_NC, 0x00), S7_SUB(S7_NC, 0xff), "nc_program", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
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
	[S7_INPUTS] = AREA("inputs"),
	[S7_OUTPUTS] = AREA("outputs"),
	[S7_FLAGS] = AREA("flags"),
	[S7_PERIPHERALS] = AREA("peripherals"),
	[S7_DB] = { .key = "db",
		    .address_max = ((uint64_t)65535 << S7_AREA_BITS) | AREA_LAST,
		    .value_sizes = SIZES,
		    .parts = { { 16, "block" }, { BYTE_BITS, "byte" }, { 3, "bit" } } },
	[S7_COUNTERS] = { .key = "counters", .address_max = AREA_LAST },
	[S7_TIMERS] = { .key = "timers", .address_max = AREA_LAST },
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/dnp3/words.h"

#include "appliance/wire/vocabulary.h"

#define UNTOLD (UNTOLD_PLACE | UNTOLD_VALUE)
#define POINTS ((1u << DNP3_SPACES) - 1u)
#define SWITCHED (1u << DNP3_BINARY_OUTPUTS)
#define SET (1u << DNP3_ANALOG_OUTPUTS)
#define FROZEN (1u << DNP3_COUNTERS | 1u << DNP3_ANALOG_INPUTS)

#define ONE(code, name, classes, spaces, untold)                                                                       \
	{                                                                                                              \
		code, code, name, classes, spaces, untold, FRAMING_ALIKE                                               \
	}

/*
 * Function codes of IEEE 1815, clause 4. Files and virtual terminals count as programming, even
 * when they are only read, because they carry programs and parameters. An analog output is written;
 * a binary output is controlled. Setting a clock, clearing indications and everything that decides
 * when an outstation reports is control. What secure authentication does cannot be seen, so it has
 * all classes: a row must name it or allow all of them. Confirmations and link layer services
 * (clause 9) are needed for every use; masters send no responses. Every frame begins with its
 * length and has checksums, so all outstations find the same end.
 */
static const struct function_info functions[] = {
	ONE(0, "confirm", 0, 0, 0),
	ONE(1, "read", CLASS_READ, POINTS, 0),
	ONE(2, "write", CLASS_WRITE, POINTS, 0),
	ONE(3, "select", CLASS_CONTROL, SWITCHED, 0),
	ONE(4, "operate", CLASS_CONTROL, SWITCHED, 0),
	ONE(5, "direct_operate", CLASS_CONTROL, SWITCHED, 0),
	ONE(6, "direct_operate_nr", CLASS_CONTROL, SWITCHED, 0),
	ONE(7, "freeze", CLASS_CONTROL, FROZEN, 0),
	ONE(8, "freeze_nr", CLASS_CONTROL, FROZEN, 0),
	ONE(9, "freeze_clear", CLASS_CONTROL, FROZEN, 0),
	ONE(10, "freeze_clear_nr", CLASS_CONTROL, FROZEN, 0),
	ONE(11, "freeze_at_time", CLASS_CONTROL, FROZEN, 0),
	ONE(12, "freeze_at_time_nr", CLASS_CONTROL, FROZEN, 0),
	ONE(13, "cold_restart", CLASS_CONTROL, 0, 0),
	ONE(14, "warm_restart", CLASS_CONTROL, 0, 0),
	ONE(15, "initialize_data", CLASS_CONTROL, 0, UNTOLD),
	ONE(16, "initialize_application", CLASS_CONTROL, 0, 0),
	ONE(17, "start_application", CLASS_CONTROL, 0, 0),
	ONE(18, "stop_application", CLASS_CONTROL, 0, 0),
	ONE(19, "save_configuration", CLASS_PROGRAM, 0, UNTOLD),
	ONE(20, "enable_unsolicited", CLASS_CONTROL, 0, 0),
	ONE(21, "disable_unsolicited", CLASS_CONTROL, 0, 0),
	ONE(22, "assign_class", CLASS_CONTROL, POINTS, 0),
	ONE(23, "delay_measurement", CLASS_DIAGNOSE, 0, 0),
	ONE(24, "record_current_time", CLASS_CONTROL, 0, 0),
	ONE(25, "open_file", CLASS_PROGRAM, 0, UNTOLD),
	ONE(26, "close_file", CLASS_PROGRAM, 0, UNTOLD),
	ONE(27, "delete_file", CLASS_PROGRAM, 0, UNTOLD),
	ONE(28, "get_file_information", CLASS_PROGRAM, 0, UNTOLD),
	ONE(29, "authenticate_file", CLASS_PROGRAM, 0, UNTOLD),
	ONE(30, "abort_file", CLASS_PROGRAM, 0, UNTOLD),
	ONE(31, "activate_configuration", CLASS_PROGRAM, 0, UNTOLD),
	ONE(32, "authenticate", CLASS_ALL, 0, UNTOLD),
	ONE(33, "authenticate_nr", CLASS_ALL, 0, UNTOLD),
	ONE(129, "response", 0, 0, 0),
	ONE(130, "unsolicited_response", 0, 0, 0),
	ONE(131, "authentication_response", 0, 0, 0),
	ONE(1001, "read_classes", CLASS_READ, 0, UNTOLD_PLACE),
	ONE(2001, "read_file", CLASS_PROGRAM, 0, UNTOLD),
	ONE(2002, "write_file", CLASS_PROGRAM, 0, UNTOLD),
	ONE(3001, "read_time", CLASS_READ, 0, 0),
	ONE(3002, "write_time", CLASS_CONTROL, 0, 0),
	ONE(4001, "read_indications", CLASS_READ, 0, 0),
	ONE(4002, "write_indications", CLASS_CONTROL, 0, 0),
	ONE(5001, "read_terminal", CLASS_PROGRAM, 0, UNTOLD),
	ONE(5002, "write_terminal", CLASS_PROGRAM, 0, UNTOLD),
	ONE(6000, "secure_authentication", CLASS_ALL, 0, UNTOLD),
	ONE(7003, "select_analog", CLASS_WRITE, SET, 0),
	ONE(7004, "operate_analog", CLASS_WRITE, SET, 0),
	ONE(7005, "direct_operate_analog", CLASS_WRITE, SET, 0),
	ONE(7006, "direct_operate_analog_nr", CLASS_WRITE, SET, 0),
	ONE(9000, "link_reset", 0, 0, 0),
	ONE(9002, "link_test", 0, 0, 0),
	ONE(9009, "link_status_request", 0, 0, 0),
	ONE(9100, "link_ack", 0, 0, 0),
	ONE(9101, "link_nack", 0, 0, 0),
	ONE(9111, "link_status", 0, 0, 0),
	ONE(9115, "link_not_supported", 0, 0, 0),
};

static const struct target_info targets[] = {
	[DNP3_OUTSTATION] = { .key = "outstations", .max = 65535, .one = "outstation", .ja = "アウトステーション" },
	[DNP3_MASTER] = { .key = "masters", .max = 65535, .one = "master", .ja = "マスター" },
	[DNP3_OBJECT] = { .key = "objects",
			  .max = 0xffff,
			  .one = "object",
			  .ja = "オブジェクト",
			  .parts = { { 8, "group" }, { 8, "variation" } } },
	[DNP3_CODE] = { .key = "operations", .max = 255, .one = "operation", .ja = "操作", .hex = true },
};

#define INDEX_MAX 0xffffffffu

static const struct space_info spaces[DNP3_SPACES] = {
	[DNP3_BINARY_INPUTS] = { .key = "binary_inputs", .address_max = INDEX_MAX },
	[DNP3_DOUBLE_INPUTS] = { .key = "double_inputs", .address_max = INDEX_MAX },
	[DNP3_BINARY_OUTPUTS] = { .key = "binary_outputs", .address_max = INDEX_MAX },
	[DNP3_COUNTERS] = { .key = "counters", .address_max = INDEX_MAX },
	[DNP3_ANALOG_INPUTS] = { .key = "analog_inputs", .address_max = INDEX_MAX },
	[DNP3_ANALOG_OUTPUTS] = { .key = "analog_outputs", .address_max = INDEX_MAX },
	[DNP3_STRINGS] = { .key = "octet_strings", .address_max = INDEX_MAX },
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

const struct vocabulary vocabulary_dnp3 = {
	.protocol = PROTO_DNP3,
	.functions = functions,
	.n_functions = N(functions),
	.targets = targets,
	.n_targets = N(targets),
	.spaces = spaces,
	.n_spaces = N(spaces),
	.value_max = UINT32_MAX,
	.code_first = 0,
	.code_last = DNP3_LINK(0, 15),
	.code_max = DNP3_LINK(0, 15),
	.refused = { R_DNP3_FUNCTION, R_DNP3_TARGET, R_DNP3_ADDRESS, R_DNP3_VALUE },
};

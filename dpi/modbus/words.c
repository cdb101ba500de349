/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/modbus/words.h"

#include "appliance/wire/vocabulary.h"

/*
 * MODBUS Application Protocol Specification V1.1b3, clause 6; 90 is Schneider's UMAS, which
 * programs controllers. Framing: most servers find the end of a request by its function, not by the
 * length in its header. libmodbus (3.1.6 and later) takes a request with an unknown function for
 * eight bytes.
 */
static const struct function_info modbus_functions[] = {
	{ 1, 1, "read_coils", CLASS_READ, 1u << MODBUS_COILS, 0, FRAMING_ALIKE },
	{ 2, 2, "read_discrete_inputs", CLASS_READ, 1u << MODBUS_DISCRETE, 0, FRAMING_ALIKE },
	{ 3, 3, "read_holding_registers", CLASS_READ, 1u << MODBUS_HOLDING, 0, FRAMING_ALIKE },
	{ 4, 4, "read_input_registers", CLASS_READ, 1u << MODBUS_INPUT, 0, FRAMING_ALIKE },
	{ 5, 5, "write_single_coil", CLASS_WRITE, 1u << MODBUS_COILS, 0, FRAMING_ALIKE },
	{ 6, 6, "write_single_register", CLASS_WRITE, 1u << MODBUS_HOLDING, 0, FRAMING_ALIKE },
	{ 7, 7, "read_exception_status", CLASS_DIAGNOSE, 0, 0, FRAMING_FLUSHED },
	/* reserved sub-functions, which may do anything */
	{ 8, 8, "diagnostics", CLASS_DIAGNOSE | CLASS_CONTROL, 0, UNTOLD_AT_TIMES, FRAMING_APART },
	{ 11, 11, "get_comm_event_counter", CLASS_DIAGNOSE, 0, 0, FRAMING_FLUSHED },
	{ 12, 12, "get_comm_event_log", CLASS_DIAGNOSE, 0, 0, FRAMING_FLUSHED },
	{ 15, 15, "write_multiple_coils", CLASS_WRITE, 1u << MODBUS_COILS, 0, FRAMING_ALIKE },
	{ 16, 16, "write_multiple_registers", CLASS_WRITE, 1u << MODBUS_HOLDING, 0, FRAMING_ALIKE },
	{ 17, 17, "report_server_id", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 20, 20, "read_file_record", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_APART },
	{ 21, 21, "write_file_record", CLASS_WRITE, 0, UNTOLD_PLACE | UNTOLD_VALUE, FRAMING_APART },
	{ 22, 22, "mask_write_register", CLASS_WRITE, 1u << MODBUS_HOLDING, UNTOLD_VALUE, FRAMING_ALIKE },
	{ 23, 23, "read_write_multiple_registers", CLASS_READ | CLASS_WRITE, 1u << MODBUS_HOLDING, 0, FRAMING_ALIKE },
	{ 24, 24, "read_fifo_queue", CLASS_READ, 1u << MODBUS_HOLDING, 0, FRAMING_APART },
	/* MEI types other than 14 */
	{ 43, 43, "encapsulated_interface_transport", CLASS_DIAGNOSE, 0, UNTOLD_AT_TIMES, FRAMING_APART },
	{ 90, 90, "umas", CLASS_PROGRAM | CLASS_CONTROL | CLASS_WRITE | CLASS_READ, 0, UNTOLD_PLACE | UNTOLD_VALUE,
	  FRAMING_APART },
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

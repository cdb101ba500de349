/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/vocabulary.h"

#include <stddef.h>
#include <string.h>

/* MODBUS Application Protocol Specification V1.1b3, clause 6; 90 is Schneider's UMAS, which programs controllers. */
static const struct function_info modbus_functions[] = {
	{ 1, "read_coils", CLASS_READ, 1u << MODBUS_COILS },
	{ 2, "read_discrete_inputs", CLASS_READ, 1u << MODBUS_DISCRETE },
	{ 3, "read_holding_registers", CLASS_READ, 1u << MODBUS_HOLDING },
	{ 4, "read_input_registers", CLASS_READ, 1u << MODBUS_INPUT },
	{ 5, "write_single_coil", CLASS_WRITE, 1u << MODBUS_COILS },
	{ 6, "write_single_register", CLASS_WRITE, 1u << MODBUS_HOLDING },
	{ 7, "read_exception_status", CLASS_DIAGNOSE, 0 },
	{ 8, "diagnostics", CLASS_DIAGNOSE | CLASS_CONTROL, 0 },
	{ 11, "get_comm_event_counter", CLASS_DIAGNOSE, 0 },
	{ 12, "get_comm_event_log", CLASS_DIAGNOSE, 0 },
	{ 15, "write_multiple_coils", CLASS_WRITE, 1u << MODBUS_COILS },
	{ 16, "write_multiple_registers", CLASS_WRITE, 1u << MODBUS_HOLDING },
	{ 17, "report_server_id", CLASS_DIAGNOSE, 0 },
	{ 20, "read_file_record", CLASS_READ, 0 },
	{ 21, "write_file_record", CLASS_WRITE, 0 },
	{ 22, "mask_write_register", CLASS_WRITE, 1u << MODBUS_HOLDING },
	{ 23, "read_write_multiple_registers", CLASS_READ | CLASS_WRITE, 1u << MODBUS_HOLDING },
	{ 24, "read_fifo_queue", CLASS_READ, 1u << MODBUS_HOLDING },
	{ 43, "encapsulated_interface_transport", CLASS_DIAGNOSE, 0 },
	{ 90, "umas", CLASS_PROGRAM | CLASS_CONTROL | CLASS_WRITE | CLASS_READ, 0 },
};

static const struct vocabulary vocabularies[] = {
	{ PROTO_MODBUS,
	  modbus_functions,
	  sizeof(modbus_functions) / sizeof(modbus_functions[0]),
	  { "coils", "discrete", "input", "holding" },
	  { 0, 10001, 30001, 40001 },
	  65535,
	  255,
	  65535 },
};

static const char *const class_names[] = { "read", "write", "control", "program", "diagnose" };

const struct vocabulary *vocabulary_of(enum protocol p)
{
	for (size_t i = 0; i < sizeof(vocabularies) / sizeof(vocabularies[0]); i++)
		if (vocabularies[i].protocol == p)
			return &vocabularies[i];
	return NULL;
}

unsigned command_class(const char *word)
{
	for (unsigned i = 0; i < sizeof(class_names) / sizeof(class_names[0]); i++)
		if (strcmp(class_names[i], word) == 0)
			return 1u << i;
	return 0;
}

const char *command_class_name(unsigned class_bit)
{
	for (unsigned i = 0; i < sizeof(class_names) / sizeof(class_names[0]); i++)
		if (class_bit == 1u << i)
			return class_names[i];
	return NULL;
}

const struct function_info *function_by_code(const struct vocabulary *v, uint8_t code)
{
	for (unsigned i = 0; i < v->n_functions; i++)
		if (v->functions[i].code == code)
			return &v->functions[i];
	return NULL;
}

const struct function_info *function_by_name(const struct vocabulary *v, const char *name)
{
	for (unsigned i = 0; i < v->n_functions; i++)
		if (strcmp(v->functions[i].name, name) == 0)
			return &v->functions[i];
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/vocabulary.h"

#include <stddef.h>
#include <string.h>

#include "appliance/wire/settings.h"

/*
 * MODBUS Application Protocol Specification V1.1b3, clause 6; 90 is Schneider's UMAS, which programs controllers. Framing: most
 * servers find the end of a request by its function, not by the length in its header, and take one that they do not know for
 * eight bytes (libmodbus does, 3.1.6 as well as later ones).
 */
static const struct function_info modbus_functions[] = {
	{ 1, "read_coils", CLASS_READ, 1u << MODBUS_COILS, 0, FRAMING_ALIKE },
	{ 2, "read_discrete_inputs", CLASS_READ, 1u << MODBUS_DISCRETE, 0, FRAMING_ALIKE },
	{ 3, "read_holding_registers", CLASS_READ, 1u << MODBUS_HOLDING, 0, FRAMING_ALIKE },
	{ 4, "read_input_registers", CLASS_READ, 1u << MODBUS_INPUT, 0, FRAMING_ALIKE },
	{ 5, "write_single_coil", CLASS_WRITE, 1u << MODBUS_COILS, 0, FRAMING_ALIKE },
	{ 6, "write_single_register", CLASS_WRITE, 1u << MODBUS_HOLDING, 0, FRAMING_ALIKE },
	{ 7, "read_exception_status", CLASS_DIAGNOSE, 0, 0, FRAMING_FLUSHED },
	{ 8, "diagnostics", CLASS_DIAGNOSE | CLASS_CONTROL, 0, 0, FRAMING_APART },
	{ 11, "get_comm_event_counter", CLASS_DIAGNOSE, 0, 0, FRAMING_FLUSHED },
	{ 12, "get_comm_event_log", CLASS_DIAGNOSE, 0, 0, FRAMING_FLUSHED },
	{ 15, "write_multiple_coils", CLASS_WRITE, 1u << MODBUS_COILS, 0, FRAMING_ALIKE },
	{ 16, "write_multiple_registers", CLASS_WRITE, 1u << MODBUS_HOLDING, 0, FRAMING_ALIKE },
	{ 17, "report_server_id", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 20, "read_file_record", CLASS_READ, 0, UNTOLD_PLACE, FRAMING_APART },
	{ 21, "write_file_record", CLASS_WRITE, 0, UNTOLD_PLACE | UNTOLD_VALUE, FRAMING_APART },
	{ 22, "mask_write_register", CLASS_WRITE, 1u << MODBUS_HOLDING, UNTOLD_VALUE, FRAMING_ALIKE },
	{ 23, "read_write_multiple_registers", CLASS_READ | CLASS_WRITE, 1u << MODBUS_HOLDING, 0, FRAMING_ALIKE },
	{ 24, "read_fifo_queue", CLASS_READ, 1u << MODBUS_HOLDING, 0, FRAMING_APART },
	{ 43, "encapsulated_interface_transport", CLASS_DIAGNOSE, 0, 0, FRAMING_APART },
	{ 90, "umas", CLASS_PROGRAM | CLASS_CONTROL | CLASS_WRITE | CLASS_READ, 0, UNTOLD_PLACE | UNTOLD_VALUE,
	  FRAMING_APART },
};

static const struct vocabulary vocabularies[] = {
	{ PROTO_MODBUS,
	  modbus_functions,
	  sizeof(modbus_functions) / sizeof(modbus_functions[0]),
	  { "coils", "discrete", "input", "holding" },
	  { 0, 10001, 30001, 40001 },
	  65535,
	  255,
	  65535,
	  127,
	  1u << MODBUS_COILS | 1u << MODBUS_DISCRETE },
};

const char *const lenient_words[LENIENT_WORDS] = { "transaction", "unit", "duplicate", "padding" };

const struct vocabulary *vocabulary_of(enum protocol p)
{
	for (size_t i = 0; i < sizeof(vocabularies) / sizeof(vocabularies[0]); i++)
		if (vocabularies[i].protocol == p)
			return &vocabularies[i];
	return NULL;
}

unsigned command_class(const char *word)
{
	for (unsigned i = 0; command_class_words[i] != NULL; i++)
		if (strcmp(command_class_words[i], word) == 0)
			return 1u << i;
	return 0;
}

const char *command_class_name(unsigned class_bit)
{
	for (unsigned i = 0; command_class_words[i] != NULL; i++)
		if (class_bit == 1u << i)
			return command_class_words[i];
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

enum framing function_framing(const struct vocabulary *v, uint8_t code)
{
	const struct function_info *f = function_by_code(v, code);

	return f != NULL ? f->framing : FRAMING_APART;
}

bool function_within(const struct vocabulary *v, uint8_t code, const struct row_reach *r)
{
	const struct function_info *f = function_by_code(v, code);
	unsigned untold = f != NULL ? f->untold : UNTOLD_PLACE | UNTOLD_VALUE, spaces = f != NULL ? f->spaces : 0;
	bool bits = spaces != 0 && (spaces & ~v->bit_spaces) == 0;

	if (code == 0 || code > v->code_max)
		return false;
	if (!r->any_place && ((untold & UNTOLD_PLACE) != 0 || (spaces & ~r->spaces) != 0))
		return false;
	if (r->any_value)
		return true;
	return (untold & UNTOLD_VALUE) == 0 && (r->bit_value || !bits || (f->classes & CLASS_WRITE) == 0);
}

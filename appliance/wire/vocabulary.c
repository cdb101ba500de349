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
	{ 1, 1, "read_coils", CLASS_READ, 1u << MODBUS_COILS, 0, FRAMING_ALIKE },
	{ 2, 2, "read_discrete_inputs", CLASS_READ, 1u << MODBUS_DISCRETE, 0, FRAMING_ALIKE },
	{ 3, 3, "read_holding_registers", CLASS_READ, 1u << MODBUS_HOLDING, 0, FRAMING_ALIKE },
	{ 4, 4, "read_input_registers", CLASS_READ, 1u << MODBUS_INPUT, 0, FRAMING_ALIKE },
	{ 5, 5, "write_single_coil", CLASS_WRITE, 1u << MODBUS_COILS, 0, FRAMING_ALIKE },
	{ 6, 6, "write_single_register", CLASS_WRITE, 1u << MODBUS_HOLDING, 0, FRAMING_ALIKE },
	{ 7, 7, "read_exception_status", CLASS_DIAGNOSE, 0, 0, FRAMING_FLUSHED },
	{ 8, 8, "diagnostics", CLASS_DIAGNOSE | CLASS_CONTROL, 0, 0, FRAMING_APART },
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
	{ 43, 43, "encapsulated_interface_transport", CLASS_DIAGNOSE, 0, 0, FRAMING_APART },
	{ 90, 90, "umas", CLASS_PROGRAM | CLASS_CONTROL | CLASS_WRITE | CLASS_READ, 0, UNTOLD_PLACE | UNTOLD_VALUE,
	  FRAMING_APART },
};

static const struct target_info modbus_targets[] = { { "units", 255 } };

static const struct space_info modbus_spaces[] = {
	[MODBUS_COILS] = { "coils", 0, 65535, true },
	[MODBUS_DISCRETE] = { "discrete", 10001, 65535, true },
	[MODBUS_INPUT] = { "input", 30001, 65535, false },
	[MODBUS_HOLDING] = { "holding", 40001, 65535, false },
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

static const struct vocabulary vocabularies[] = {
	{ .protocol = PROTO_MODBUS,
	  .functions = modbus_functions,
	  .n_functions = N(modbus_functions),
	  .targets = modbus_targets,
	  .n_targets = N(modbus_targets),
	  .spaces = modbus_spaces,
	  .n_spaces = N(modbus_spaces),
	  .value_max = 65535,
	  .code_first = 1,
	  .code_last = 127,
	  .code_max = 255,
	  .refused = { R_MODBUS_FUNCTION, R_MODBUS_UNIT, R_MODBUS_ADDRESS, R_MODBUS_VALUE } },
};

const char *const lenient_words[LENIENT_WORDS] = { "transaction", "unit", "duplicate", "padding" };

const struct vocabulary *vocabulary_of(enum protocol p)
{
	for (size_t i = 0; i < N(vocabularies); i++)
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

const struct function_info *function_by_code(const struct vocabulary *v, uint32_t code)
{
	unsigned lo = 0, hi = v->n_functions;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (code < v->functions[mid].code)
			hi = mid;
		else if (code > v->functions[mid].last)
			lo = mid + 1;
		else
			return &v->functions[mid];
	}
	return NULL;
}

const struct function_info *function_by_name(const struct vocabulary *v, const char *name)
{
	for (unsigned i = 0; i < v->n_functions; i++)
		if (strcmp(v->functions[i].name, name) == 0)
			return &v->functions[i];
	return NULL;
}

const char *space_key(const struct vocabulary *v, unsigned space)
{
	return v != NULL && space < v->n_spaces ? v->spaces[space].key : NULL;
}

enum framing function_framing(const struct vocabulary *v, uint32_t code)
{
	const struct function_info *f = function_by_code(v, code);

	return f != NULL ? f->framing : FRAMING_APART;
}

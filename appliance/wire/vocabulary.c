/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "appliance/wire/settings.h"

const char *const lenient_words[LENIENT_WORDS] = { "transaction", "unit",      "duplicate", "padding",
						   "length",	  "numbering", "coil_echo", "listing" };

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

uint32_t function_least(const struct vocabulary *v, const struct function_info *f, unsigned space)
{
	for (unsigned i = 0; i < v->n_leasts; i++)
		if (v->leasts[i].code == f->code && (!v->leasts[i].of_bits || v->spaces[space].bits))
			return v->leasts[i].addresses;
	return 1;
}

bool function_has_target(const struct vocabulary *v, uint32_t code, unsigned target)
{
	for (unsigned i = 0; i < v->n_reaches; i++) {
		const struct reach_info *r = &v->reaches[i];

		if (r->target == target && code >= r->first && code <= r->last)
			return r->lo <= r->hi;
	}
	return true;
}

const struct function_info *function_by_name(const struct vocabulary *v, const char *name)
{
	for (unsigned i = 0; i < v->n_functions; i++)
		if (strcmp(v->functions[i].name, name) == 0)
			return &v->functions[i];
	return NULL;
}

#define BYTE 8u /* bits; a space whose values have sizes counts its addresses in bits */

bool space_value(const struct space_info *s, uint64_t lo, uint64_t hi)
{
	for (unsigned n = 0; n < 8; n++) {
		uint64_t size = (uint64_t)1 << n;

		if (((uint32_t)s->value_sizes >> n & 1u) != 0 && hi - lo == size - 1u)
			return size < BYTE || lo % BYTE == 0;
	}
	return false;
}

const char *space_key(const struct vocabulary *v, unsigned space)
{
	return v != NULL && space < v->n_spaces ? v->spaces[space].key : NULL;
}

void code_text(const struct vocabulary *v, uint64_t code, char out[CODE_TEXT])
{
	snprintf(out, CODE_TEXT, v != NULL && v->codes_hex ? "0x%08" PRIx64 : "%" PRIu64, code);
}

enum framing function_framing(const struct vocabulary *v, uint32_t code)
{
	const struct function_info *f = function_by_code(v, code);

	return f != NULL ? f->framing : FRAMING_APART;
}

const struct target_word *target_word(const struct target_info *t, uint64_t number)
{
	for (unsigned i = 0; i < TARGET_WORDS; i++)
		if (t->words[i].text != NULL && t->words[i].number == number)
			return &t->words[i];
	return NULL;
}

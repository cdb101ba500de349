/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/command.h"

#include "appliance/wire/notation.h"
#include "mgmt/state/read.h"

const struct vocabulary *command_words(const json_t *o)
{
	return vocabulary_of(protocol_by_name(js(o, "protocol")));
}

unsigned command_targets(FILE *to, const json_t *o, const struct vocabulary *v, const char *before, enum lang l)
{
	unsigned n = 0;

	for (unsigned i = 0; v != NULL && i < v->n_targets; i++) {
		const struct target_info *t = &v->targets[i];
		struct notation form = notation_of_target(t);
		uint64_t number = ju(o, t->one);
		const struct target_word *word;
		char text[NOTATION_TEXT];

		if (json_object_get(o, t->one) == NULL || (t->usual_known && number == t->usual))
			continue;
		notation_text(&form, (struct number_range){ number, number }, text);
		fputs(before, to);
		word = target_word(t, number);
		message_print(to, l, M_COMMAND_TARGET, l == LANG_JA ? t->ja : t->one,
			      word == NULL   ? text
			      : l == LANG_JA ? word->ja
					     : word->text);
		n++;
	}
	return n;
}

void command_function(FILE *to, const json_t *o, const struct vocabulary *v, enum lang l)
{
	char code[CODE_TEXT];

	if (*js(o, "function_name") != '\0') {
		fputs(js(o, "function_name"), to);
		return;
	}
	code_text(v, ju(o, "function"), code);
	message_print(to, l, M_COMMAND_FUNCTION, code);
}

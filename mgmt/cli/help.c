/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/options.h"

#include <string.h>

#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"

static void option_rows(struct table *t, const struct cli *c, const struct cli_option *o)
{
	for (; o->name != NULL; o++) {
		char letter[8] = "";

		if (o->letter != 0)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		table_cellf(t, "%s%s%s%s", letter, o->name, o->value != NULL ? " " : "",
			    o->value != NULL ? o->value : "");
		table_cell(t, message_format(o->help, c->lang));
	}
}

static void verb_rows(const struct cli *c, FILE *to, enum cli_group group)
{
	struct table *t = table_new(2, 2);

	for (const struct cli_verb *v = cli_verbs; v < cli_verbs + cli_n_verbs; v++) {
		if (v->group != group)
			continue;
		table_cellf(t, "%s%s%s%s%s", v->name, v->under != NULL ? " " : "", v->under != NULL ? v->under : "",
			    v->operands[0] != '\0' ? " " : "", v->operands);
		table_cell(t, message_format(v->summary, c->lang));
	}
	table_wrap(t);
	(void)table_end(t, to, false);
}

static void global_rows(const struct cli *c, FILE *to)
{
	struct table *t = table_new(2, 2);

	option_rows(t, c, cli_globals);
	table_wrap(t);
	(void)table_end(t, to, false);
}

void help_overview(const struct cli *c, FILE *to)
{
	message_print(to, c->lang, M_HELP_HEAD);
	message_print(to, c->lang, M_HELP_OFFLINE);
	verb_rows(c, to, CLI_OFFLINE);
	message_print(to, c->lang, M_HELP_ON_BOX);
	verb_rows(c, to, CLI_ON_BOX);
	message_print(to, c->lang, M_HELP_GLOBALS);
	global_rows(c, to);
	text_wrap_all(to, message_format(M_HELP_TAIL, c->lang));
}

void help_verb(const struct cli *c, const struct cli_verb *v, FILE *to)
{
	char usage[160];

	cli_usage(v, usage, sizeof(usage));
	message_print(to, c->lang, M_HELP_USAGE, usage);
	text_wrap(to, message_format(v->summary, c->lang), 0, 0);
	fputs("\n\n", to);
	text_wrap_all(to, message_format(v->text, c->lang));
	if (v->options->name != NULL) {
		struct table *t = table_new(2, 2);

		message_print(to, c->lang, M_HELP_OPTIONS);
		option_rows(t, c, v->options);
		table_wrap(t);
		(void)table_end(t, to, false);
	}
	message_print(to, c->lang, M_HELP_GLOBALS);
	global_rows(c, to);
}

void help_above(const struct cli *c, const char *word, FILE *to)
{
	bool more = false;

	for (size_t i = 0; i < cli_n_verbs; i++) {
		if (strcmp(cli_verbs[i].name, word) != 0)
			continue;
		if (more)
			fputc('\n', to);
		help_verb(c, &cli_verbs[i], to);
		more = true;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The program: reads the command line; reports errors, shows help, or runs the verb. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/version.h"
#include "appliance/wire/hours.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/options.h"

static int usage_problem(struct cli *c, const struct cli_problem *p)
{
	char text[512];
	int status;

	if (p->wanted != NULL)
		message_text(text, sizeof(text), c->lang, p->message, p->word, p->wanted, p->nearest);
	else if (p->nearest != NULL)
		message_text(text, sizeof(text), c->lang, p->with_nearest, p->word, p->nearest);
	else
		message_text(text, sizeof(text), c->lang, p->message, p->word);
	status = cli_fail_text(c, CLI_INVALID, text);
	if (c->json)
		return status;
	if (p->verb != NULL) {
		cli_see(c, p->verb);
	} else {
		message_print(c->err, c->lang, M_CLI_SEE_HELP);
	}
	return status;
}

static void cli_init(struct cli *c, int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct cli_line line;

	cli_read_globals(argc, argv, &line);
	c->lang = lang_choose(line.globals[GLOBAL_LANG]);
	c->lang_told = line.globals[GLOBAL_LANG] != NULL;
	c->json = line.globals[GLOBAL_JSON] != NULL;
	c->socket = socket_choose(line.globals[GLOBAL_SOCKET]);
	zone_of_site(c->socket);
	if (line.globals[GLOBAL_UTC] != NULL)
		people_utc();
	c->out = stdout;
	c->err = stderr;
	c->color = isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') && term != NULL &&
		   strcmp(term, "dumb") != 0;
}

/* "help VERB" means "VERB --help": only the words are moved. */
static bool is_help_word(int argc, char **argv)
{
	return argc >= 2 && strcmp(argv[1], "help") == 0;
}

/* Carries out the parsed command line. */
static int perform(struct cli *c, const struct cli_line *line)
{
	if (line->globals[GLOBAL_VERSION] != NULL) {
		if (c->json)
			json_line(c->out, json_pack("{s:s}", "version", SEKISHO_VERSION));
		else
			fprintf(c->out, "sekisho %s\n", SEKISHO_VERSION);
		return CLI_YES;
	}
	if (line->globals[GLOBAL_HELP] != NULL) {
		pager_begin(c);
		if (line->args.verb != NULL)
			help_verb(c, line->args.verb, c->out);
		else if (line->above != NULL)
			help_above(c, line->above, c->out);
		else
			help_overview(c, c->out);
		return CLI_YES;
	}
	if (line->args.verb == NULL && c->json)
		return cli_fail(c, CLI_INVALID, M_CLI_MISSING_OPERAND, "COMMAND");
	if (line->args.verb == NULL) {
		help_overview(c, c->err);
		return CLI_INVALID;
	}
	if (line->args.verb->paged)
		pager_begin(c);
	return line->args.verb->run(c, &line->args);
}

static int run(int argc, char **argv)
{
	struct cli c;
	struct cli_line line;
	struct cli_problem problem;
	char help[] = "--help";
	int status;

	if (is_help_word(argc, argv))
		argv[1] = help;
	cli_init(&c, argc, argv);
	if (!cli_read_line(argc, argv, &line, &problem))
		return usage_problem(&c, &problem);
	if (line.globals[GLOBAL_LANG] != NULL && strcmp(line.globals[GLOBAL_LANG], "ja") != 0 &&
	    strcmp(line.globals[GLOBAL_LANG], "en") != 0)
		return cli_fail(&c, CLI_INVALID, M_CLI_LANG, line.globals[GLOBAL_LANG]);
	/* A reader that ends (head, less) ends this program at its next write, as usual for a
	 * filter. */
	signal(SIGPIPE, SIG_DFL);
	status = perform(&c, &line);
	pager_end(&c);
	if (fflush(c.out) != 0 || ferror(c.out)) {
		c.json = false;
		return cli_fail(&c, CLI_CANNOT, M_CLI_OUTPUT);
	}
	return status;
}

int main(int argc, char **argv)
{
	/* line by line, so that other processes' output does not get into a line */
	setvbuf(stderr, NULL, _IOLBF, 0);
	/* The caller may have left SIGCHLD ignored; the exit status of children would then be
	 * lost. */
	signal(SIGCHLD, SIG_DFL);
	return run(argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/version.h"
#include "mgmt/cli/help.h"
#include "mgmt/cli/options.h"
#include "mgmt/cli/screen/width.h"
#include "mgmt/cli/socket.h"

int cli_fail_text(struct cli *c, enum cli_status status, const char *text)
{
	char *safe;

	if (c->json) {
		json_line(c->out, json_pack("{s:o,s:i}", "error", json_text(text), "status", (int)status));
		return status;
	}
	safe = text_safe(text);
	fflush(c->out);
	fprintf(c->err, "sekisho: %s\n", safe != NULL ? safe : "");
	free(safe);
	return status;
}

int cli_fail(struct cli *c, enum cli_status status, enum message m, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, m);
	message_vtext(text, sizeof(text), c->lang, m, ap);
	va_end(ap);
	return cli_fail_text(c, status, text);
}

int cli_fail_file(struct cli *c, enum cli_status status, const char *name, int code)
{
	const char *why;

	switch (code) {
	case ENOENT:
		why = message_format(M_FILE_ABSENT, c->lang);
		break;
	case ENOTDIR:
		why = message_format(M_FILE_NO_FOLDER, c->lang);
		break;
	case EISDIR:
		why = message_format(M_FILE_FOLDER, c->lang);
		break;
	case EACCES:
	case EPERM:
		why = message_format(M_FILE_NO_RIGHT, c->lang);
		break;
	case ENOSPC:
		why = message_format(M_FILE_FULL, c->lang);
		break;
	default:
		why = strerror(code);
	}
	return cli_fail(c, status, M_CLI_FILE, name, why);
}

void cli_see(struct cli *c, const struct cli_verb *v)
{
	char usage[160];

	if (c->json)
		return;
	help_usage(v, usage, sizeof(usage));
	message_print(c->err, c->lang, M_CLI_SEE_VERB, usage, v->name, v->under != NULL ? " " : "",
		      v->under != NULL ? v->under : "");
}

bool cli_number(const char *text, unsigned long long max, unsigned long long *ret)
{
	unsigned long long v = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (*text < '0' || *text > '9' || v > (max - digit) / 10 || max < digit)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
}

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
	c->json = line.globals[GLOBAL_JSON] != NULL;
	c->socket = socket_choose(line.globals[GLOBAL_SOCKET]);
	c->out = stdout;
	c->err = stderr;
	c->color = isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') && term != NULL &&
		   strcmp(term, "dumb") != 0;
}

/* "help VERB" is "VERB --help"; the words move, nothing else. */
static bool is_help_word(int argc, char **argv)
{
	return argc >= 2 && strcmp(argv[1], "help") == 0;
}

/* What the line asks for, once it was read. */
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
		if (line->verb != NULL)
			help_verb(c, line->verb, c->out);
		else if (line->above != NULL)
			help_above(c, line->above, c->out);
		else
			help_overview(c, c->out);
		return CLI_YES;
	}
	if (line->verb == NULL && c->json)
		return cli_fail(c, CLI_INVALID, M_CLI_MISSING_OPERAND, "COMMAND");
	if (line->verb == NULL) {
		help_overview(c, c->err);
		return CLI_INVALID;
	}
	return line->verb->run(c, &line->args);
}

int cli_main(int argc, char **argv)
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
	/* A reader that goes away (head, less) ends the program at its next write, as of any filter. */
	signal(SIGPIPE, SIG_DFL);
	status = perform(&c, &line);
	if (fflush(c.out) != 0 || ferror(c.out)) {
		c.json = false;
		return cli_fail(&c, CLI_CANNOT, M_CLI_OUTPUT);
	}
	return status;
}

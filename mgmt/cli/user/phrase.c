/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/user/phrase.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "mgmt/cli/words/render.h"

/* Byte by byte, so that nothing of it stays in a buffer of the library. False at the end, or when it is too long. */
static bool read_line(char out[PHRASE_MOST])
{
	size_t n = 0;
	char c = 0;

	while (n < PHRASE_MOST - 1 && read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		out[n++] = c;
	out[n] = 0;
	return n > 0 && n < PHRASE_MOST - 1;
}

static bool ask(const struct cli *c, enum message prompt, char out[PHRASE_MOST])
{
	struct termios seen, unseen;
	bool ok;

	message_print(c->err, c->lang, prompt);
	fflush(c->err);
	if (tcgetattr(STDIN_FILENO, &seen) < 0)
		return false;
	unseen = seen;
	unseen.c_lflag &= ~(tcflag_t)ECHO;
	/* What was typed before the question is not the answer. */
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen) < 0)
		return false;
	ok = read_line(out);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &seen);
	fputc('\n', c->err);
	return ok;
}

bool phrase_read(struct cli *c, char out[PHRASE_MOST], int *ret_status)
{
	char again[PHRASE_MOST];
	bool same;

	if (isatty(STDIN_FILENO) == 0) {
		if (read_line(out))
			return true;
		*ret_status = cli_fail(c, CLI_INVALID, M_USER_NO_PHRASE);
		return false;
	}
	if (!ask(c, M_USER_ASK, out)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_USER_NO_PHRASE);
		return false;
	}
	same = ask(c, M_USER_ASK_AGAIN, again) && strcmp(out, again) == 0;
	explicit_bzero(again, sizeof(again));
	if (!same)
		*ret_status = cli_fail(c, CLI_INVALID, M_USER_DIFFER);
	return same;
}

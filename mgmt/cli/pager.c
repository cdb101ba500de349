/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char *kept;
static size_t size;

static bool wanted(const struct cli *c)
{
	const char *choice = getenv("PAGER"), *term = getenv("TERM");

	return !c->json && c->out == stdout && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
	       (choice == NULL || (*choice != '\0' && strcmp(choice, "cat") != 0)) && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

void pager_begin(struct cli *c)
{
	FILE *to = wanted(c) ? open_memstream(&kept, &size) : NULL;

	if (to != NULL)
		c->out = to;
}

/* Adds one line for the shell's next prompt. A terminal of unknown height gets no pager. */
static bool longer_than_screen(const char *text)
{
	struct winsize screen;
	size_t lines = 1;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &screen) != 0 || screen.ws_row == 0)
		return false;
	for (const char *p = text; *p != '\0'; p++)
		lines += *p == '\n';
	return lines > screen.ws_row;
}

/* Becomes less, whatever PAGER names, in its secure mode, in which it starts no other program. So
 * somebody who may run only queries of the box as root (sudo) gets no shell of root through the
 * pager. Without less, becomes cat. */
static _Noreturn void read_from(int fd)
{
	dup2(fd, STDIN_FILENO);
	setenv("LESS", "RX", 1); /* keeps colours, and leaves the text on the screen at its end */
	setenv("LESSSECURE", "1", 1);
	/* with a locale that the machine lacks, less takes the text for ASCII */
	setenv("LESSCHARSET", "utf-8", 1);
	execlp("less", "less", (char *)NULL);
	execlp("cat", "cat", (char *)NULL);
	_exit(CLI_CANNOT);
}

static bool paged(const char *text)
{
	pid_t reader;
	FILE *to;
	int ends[2];

	if (pipe(ends) != 0)
		return false;
	reader = fork();
	if (reader == 0) {
		close(ends[1]);
		read_from(ends[0]);
	}
	close(ends[0]);
	to = reader > 0 ? fdopen(ends[1], "w") : NULL;
	if (to == NULL) {
		close(ends[1]);
		return false;
	}
	signal(SIGINT, SIG_IGN);  /* the pager handles it */
	signal(SIGPIPE, SIG_IGN); /* leaving the pager early is no error */
	fputs(text, to);
	fclose(to);
	while (waitpid(reader, NULL, 0) < 0 && errno == EINTR)
		;
	return true;
}

void pager_end(struct cli *c)
{
	if (c->out == stdout)
		return;
	fclose(c->out);
	c->out = stdout;
	if (kept != NULL && !(longer_than_screen(kept) && paged(kept)))
		fputs(kept, c->out);
	free(kept);
	kept = NULL;
}

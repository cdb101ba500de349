/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/box/request.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/base/own_path.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/words/answer.h"

#define NOTE "daemon" /* note beside the socket: what the last daemon managed */

bool alone_wanted(const struct cli *c)
{
	return geteuid() == 0 && box_absent(c);
}

/* The namespaces and state folder that this socket's daemon noted, if root owns the note. Returns 0
 * to 3 lines of `text`. */
static size_t noted(const struct cli *c, char text[512], const char *lines[3])
{
	const char *slash = strrchr(c->socket, '/');
	char path[PATH_MAX], *rest, *line;
	struct stat st;
	ssize_t n = -1;
	size_t found = 0;
	int fd;

	if (slash == NULL ||
	    snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - c->socket), c->socket, NOTE) >= (int)sizeof(path))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 0 && (st.st_mode & 022) == 0)
		n = read(fd, text, 511);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (line = strtok_r(text, "\n", &rest); line != NULL && found < 3; line = strtok_r(NULL, "\n", &rest))
		lines[found++] = line;
	return found == 3 ? 3 : 0;
}

/* Runs in the child: executes the daemon's program, with the folder of the socket as run folder. */
static void become(const struct cli *c, const char *path, const char *question, const char *const lines[3], int out)
{
	const char *argv[14] = { path, "--standing", question, "--lang", lang_name(c->lang) };
	static const char *const names[] = { "--data-netns", "--admin-netns", "--state" };
	const char *slash = strrchr(c->socket, '/');
	char run[PATH_MAX];
	size_t n = 5;

	for (size_t i = 0; i < 3 && lines[0] != NULL; i++) {
		argv[n++] = names[i];
		argv[n++] = lines[i];
	}
	if (slash != NULL &&
	    snprintf(run, sizeof(run), "%.*s", (int)(slash - c->socket), c->socket) < (int)sizeof(run)) {
		argv[n++] = "--run";
		argv[n] = run;
	}
	if (dup2(out, STDOUT_FILENO) >= 0)
		execve(path, (char **)(uintptr_t)argv, (char *[]){ NULL });
	_exit(127);
}

static json_t *read_json(int fd)
{
	FILE *f = fdopen(fd, "r");
	json_t *j;

	if (f == NULL) {
		close(fd);
		return NULL;
	}
	j = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
	fclose(f);
	return j;
}

bool alone_request(struct cli *c, const char *question, struct box_answer *ret, int *ret_status)
{
	char path[PATH_MAX], text[512];
	const char *lines[3] = { NULL };
	int pipes[2], how = 0;
	pid_t pid;

	memset(ret, 0, sizeof(*ret));
	/* Without a note, only the default socket is known to be this box's. */
	if ((noted(c, text, lines) == 0 && strcmp(c->socket, SOCKET_DEFAULT) != 0) || !daemon_path(path)) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_BOX_ABSENT, c->socket);
		return false;
	}
	if (pipe2(pipes, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_STANDING_NO_ANSWER, path, strerror(errno));
		return false;
	}
	if (pid == 0)
		become(c, path, question, lines, pipes[1]);
	close(pipes[1]);
	ret->json = read_json(pipes[0]);
	waitpid(pid, &how, 0);
	ret->status = WIFEXITED(how) ? WEXITSTATUS(how) : CLI_CANNOT;
	if (json_is_object(ret->json) && ret->status <= CLI_CANNOT)
		return true;
	box_answer_free(ret);
	*ret_status = cli_fail(c, CLI_CANNOT, M_STANDING_NO_ANSWER, path, "");
	return false;
}

void alone_headline(struct cli *c, const json_t *answer)
{
	static const struct answer_row rows[] = {
#define ROWS_ALONE
#include "mgmt/cli/words/answers.def"
	};
	const enum message *stands = word_message("stands", js(answer, "stands"));

	if (stands != NULL)
		fprintf(c->out, "%s%s%s\n", c->color ? "\033[1;31m" : "", message_format(*stands, c->lang),
			c->color ? "\033[0m" : "");
	answer_print(c, rows, answer);
}

bool program_path(const char *name, char ret[PATH_MAX])
{
	static const char *const places[] = { "", "../sbin/" };
	char from[PATH_MAX];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (snprintf(from, sizeof(from), "%s%s", places[i], name) < PATH_MAX && own_path(from, ret) &&
		    access(ret, X_OK) == 0)
			return true;
	return false;
}

bool daemon_path(char ret[PATH_MAX])
{
	return program_path("sekishod", ret);
}

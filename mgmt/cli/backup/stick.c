/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/backup/stick.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/base/memfd.h"

#define DEVICE "/dev/disk/by-label/SEKISHO-BAK"
#define DATE                                                                                                           \
	"dddddddd"                                                                                                     \
	"Tdddddd"                                                                                                      \
	"Z"
#define END ".backup"
#define ROOT "::/"
#define LIST_MOST (256u << 10) /* bytes of the names in the topmost folder */
#define KEPT_MOST 1024u
#define NAME 100u /* bytes of a name with ROOT and the NUL */

/* ---- mtools ---------------------------------------------------------------------------------- */

/* Reads up to `most` bytes, and throws away the rest, so that the program can end. */
static size_t drained(int fd, char *out, size_t most)
{
	char rest[4096] = "";
	size_t n = 0;

	for (;;) {
		ssize_t got = read(fd, n < most ? out + n : rest, n < most ? most - n : sizeof(rest));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return n;
		n += n < most ? (size_t)got : 0;
	}
}

/* Runs a program of mtools, with standard input and the errors in `out`, if wanted. Returns the
 * exit status; -1: the program did not end by itself, or is missing. */
static int tool(const char *const words[], int in, bool errors, char *out, size_t most, size_t *ret_n)
{
	char *const env[] = { (char *)(uintptr_t) "PATH=/usr/bin:/bin", (char *)(uintptr_t) "LC_ALL=C", NULL };
	posix_spawn_file_actions_t with;
	int to[2], r, status = -1;
	pid_t pid;

	*ret_n = 0;
	if (pipe2(to, O_CLOEXEC) < 0)
		return -1;
	r = posix_spawn_file_actions_init(&with);
	if (r == 0 && in >= 0)
		r = posix_spawn_file_actions_adddup2(&with, in, STDIN_FILENO);
	else if (r == 0)
		r = posix_spawn_file_actions_addopen(&with, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&with, to[1], STDOUT_FILENO);
	if (r == 0 && errors)
		r = posix_spawn_file_actions_adddup2(&with, to[1], STDERR_FILENO);
	else if (r == 0)
		r = posix_spawn_file_actions_addopen(&with, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (r == 0)
		r = posix_spawnp(&pid, words[0], &with, NULL, (char *const *)(uintptr_t)words, env);
	posix_spawn_file_actions_destroy(&with);
	close(to[1]);
	if (r == 0)
		*ret_n = drained(to[0], out, most);
	close(to[0]);
	while (r == 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return r == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The names in the topmost folder, one a line, folders with '/' at the end; malloc'd, with a
 * NUL. */
static char *listed(void)
{
	const char *const words[] = { "mdir", "-b", "-i", DEVICE, ROOT, NULL };
	char *out = malloc(LIST_MOST + 1);
	size_t n = 0;

	if (out == NULL || tool(words, -1, false, out, LIST_MOST, &n) != 0 || n == LIST_MOST) {
		free(out);
		return NULL;
	}
	out[n] = '\0';
	return out;
}

static void removed(const char *path)
{
	const char *const words[] = { "mdel", "-i", DEVICE, path, NULL };
	char none;
	size_t n;

	(void)tool(words, -1, false, &none, 0, &n);
}

/* What the list has under this name: '\0' = nothing, '/' = a folder, else a file. */
static char is_there(const char *list, const char *path)
{
	size_t n = strlen(path);

	for (const char *at = list; (at = strstr(at, path)) != NULL; at += n)
		if ((at == list || at[-1] == '\n') && (at[n] == '\n' || at[n] == '/'))
			return at[n];
	return '\0';
}

/* ---- the stick ------------------------------------------------------------------------------- */

const char *stick_open(int *ret_fd)
{
	struct stat st;
	char *list;

	*ret_fd = open(DEVICE, O_RDWR | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (*ret_fd < 0)
		return errno == EBUSY					     ? "in_use"
		       : errno == EROFS || errno == EACCES || errno == EPERM ? "read_only"
									     : "absent";
	list = fstat(*ret_fd, &st) == 0 && S_ISBLK(st.st_mode) ? listed() : NULL;
	free(list);
	if (list != NULL)
		return NULL;
	close(*ret_fd);
	*ret_fd = -1;
	return "unfit";
}

/* Makes sure that what was written is on the stick, and that what is read next comes from the stick
 * and not from memory. */
static bool settled(int fd)
{
	return fsync(fd) == 0 && ioctl(fd, BLKFLSBUF, 0) == 0;
}

static const char *write_all(const char *path, struct bytes file)
{
	const char *const words[] = { "mcopy", "-n", "-i", DEVICE, "-", path, NULL };
	int in = memfd_sealed("sekisho-backup", file.p, file.left), r = -1;
	char said[512];
	size_t n = 0;

	if (in >= 0 && lseek(in, 0, SEEK_SET) == 0)
		r = tool(words, in, true, said, sizeof(said) - 1, &n);
	said[n] = '\0';
	if (in >= 0)
		close(in);
	return r == 0 ? NULL : strstr(said, "full") != NULL ? "full" : "unwritten";
}

static bool same(const char *path, struct bytes file)
{
	const char *const words[] = { "mcopy", "-n", "-i", DEVICE, path, "-", NULL };
	char *back = malloc(file.left + 1);
	size_t n = 0;
	bool good = back != NULL && tool(words, -1, false, back, file.left + 1, &n) == 0 && n == file.left &&
		    memcmp(back, file.p, n) == 0;

	free(back);
	return good;
}

/* Whether the path has the form "::/PREFIX20261129T043300Z.backup". */
static bool ours(const char *path, const char *prefix)
{
	size_t n = strlen(ROOT) + strlen(prefix), m = sizeof(DATE) - 1;

	if (strncmp(path, ROOT, strlen(ROOT)) != 0 || strncmp(path + strlen(ROOT), prefix, strlen(prefix)) != 0 ||
	    strlen(path) != n + m + sizeof(END) - 1 || strcmp(path + n + m, END) != 0)
		return false;
	for (size_t i = 0; i < m; i++)
		if (DATE[i] == 'd' ? path[n + i] < '0' || path[n + i] > '9' : path[n + i] != DATE[i])
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names have one length, and end with a date, so their order is that of the dates. */
static void remove_old(const char *prefix, const char *newest, unsigned most)
{
	char *list = listed(), *names[KEPT_MOST] = { NULL }, *rest = NULL;
	size_t n = 0;

	for (char *line = list != NULL ? strtok_r(list, "\n", &rest) : NULL; line != NULL && n < KEPT_MOST;
	     line = strtok_r(NULL, "\n", &rest))
		if (ours(line, prefix))
			names[n++] = line;
	qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i + most < n; i++)
		if (strcmp(names[i], newest) != 0)
			removed(names[i]);
	free(list);
}

const char *stick_store(int fd, const char *prefix, const char *name, struct bytes file, unsigned most)
{
	char beside[NAME], path[NAME];
	const char *const rename[] = { "mren", "-i", DEVICE, beside, path, NULL };
	const char *why = NULL;
	char *list = listed(), none;
	size_t n;

	snprintf(beside, sizeof(beside), ROOT "%snew", prefix);
	snprintf(path, sizeof(path), ROOT "%s", name);
	if (list == NULL)
		return "unwritten";
	/* A file that is left of a run in which the power failed is removed. */
	if (is_there(list, beside) == '/' || is_there(list, path) != '\0')
		why = "odd";
	else if (is_there(list, beside) != '\0')
		removed(beside);
	free(list);
	if (why != NULL)
		return why;
	why = write_all(beside, file);
	if (why == NULL && (!settled(fd) || !same(beside, file) || tool(rename, -1, false, &none, 0, &n) != 0))
		why = "unwritten";
	if (why != NULL)
		removed(beside);
	else if (settled(fd))
		remove_old(prefix, path, most);
	else
		why = "unwritten";
	return settled(fd) || why != NULL ? why : "unwritten";
}

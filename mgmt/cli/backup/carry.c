/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/keyfile.h"
#include "appliance/base/memfd.h"
#include "appliance/wire/ends.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"
#include "mgmt/cli/backup/backup.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/words/render.h"

/*
 * The stick for scheduled backups: a FAT file system with one label. It is read and written by
 * mtools, as at the appliance's console, and not by the kernel, because whoever brings a stick
 * chooses its bytes. So nothing is mounted, and there are no links, owners or devices. Of its
 * files, only the one just written is read. A file that this box did not write is neither replaced
 * nor deleted.
 */

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

/* Takes the device for this process alone; *ret_fd is the caller's. NULL, or a word that tells why
 * not (docs/json.md, status): absent, in_use, read_only, unfit. */
static const char *stick_open(int *ret_fd)
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

/*
 * Writes the file under a temporary name, reads it back, and renames it. Then deletes the oldest
 * files of the form PREFIX<date>.backup until `most` are left. NULL, or why not: full, odd (a
 * folder or an earlier file has its name), unwritten.
 */
static const char *stick_store(int fd, const char *prefix, const char *name, struct bytes file, unsigned most)
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

#define SCHEDULE CLI_BOX_FOLDER "/backup-schedule"
#define PASSWORD CLI_BOX_FOLDER "/backup-password"
#define SCHEDULE_MOST 4096u
#define DAYS_MOST 31u /* as CARRIED_DAYS_MOST of control */
#define KEEP_MOST 999u
/* bytes of the site's name in a file's name, so that sekisho-fetch accepts the name */
#define HOST_MOST 30
#define SEND_S "600"

enum { STICK, SERVER, TARGETS };

static const char *const words[TARGETS] = { "stick", "server" };
static const enum message names[TARGETS] = { M_CARRY_STICK, M_CARRY_SERVER };

/* ---- root's schedule ------------------------------------------------------------------------- */

struct schedule {
	unsigned long every, keep; /* days between two backups; number of files that are kept */
	bool to[TARGETS];
};

static bool line_read(void *of, const char *key, char *value)
{
	struct schedule *s = of;

	if (strcmp(key, "every") == 0)
		return keyfile_number(value, DAYS_MOST, &s->every);
	if (strcmp(key, "keep") == 0)
		return keyfile_number(value, KEEP_MOST, &s->keep);
	for (unsigned i = 0; i < TARGETS; i++)
		if (strcmp(key, "to") == 0 && strcmp(value, words[i]) == 0)
			return s->to[i] = true;
	return false;
}

/* Reads the file with the schedule. CLI_YES also without the file: then nothing is scheduled, and
 * *ret_fd is -1. While *ret_fd is open, no other run can begin. */
static int schedule_read(struct cli *c, struct schedule *ret, int *ret_fd)
{
	struct err e = { 0 };
	char *text = NULL;
	struct stat st;
	int r;

	*ret = (struct schedule){ .every = 1, .keep = 7 };
	*ret_fd = open(SCHEDULE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*ret_fd < 0 && errno == ENOENT)
		return CLI_YES;
	/* The schedule decides where accounts and keys go, so it must be root's like backup.pem. */
	if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return cli_fail(c, CLI_CANNOT, M_CARRY_LOOSE, SCHEDULE);
	if (flock(*ret_fd, LOCK_EX | LOCK_NB) < 0)
		return cli_fail(c, CLI_CANNOT, M_BACKUP_ANOTHER);
	r = keyfile_read(SCHEDULE, SCHEDULE_MOST, line_read, ret, &text, &e);
	free(text);
	if (r < 0 || (!ret->to[STICK] && !ret->to[SERVER]))
		return cli_fail(c, CLI_INVALID, M_CARRY_UNREAD, SCHEDULE);
	return CLI_YES;
}

/* ---- what the box says ----------------------------------------------------------------------- */

static void record(struct cli *c, enum machine_event what, unsigned target, const char *text)
{
	char all[RECORD_MOST + 1];

	snprintf(all, sizeof(all), "%s: %s", words[target], text);
	if (!backup_recorded(c, what, all))
		render_line(c, M_CARRY_UNRECORDED);
}

/* Asks for the box's status: returns its list of scheduled backups, and writes the name of the
 * site. NULL after the reason was printed. */
static json_t *asked(struct cli *c, char site[HOST_MOST + 1], int *ret_status)
{
	struct box_answer answer;
	const json_t *backup;
	json_t *list = NULL;

	if (!box_status(c, &answer, ret_status))
		return NULL;
	backup = ja(answer.json, "backup");
	snprintf(site, HOST_MOST + 1, "%s", js(ja(answer.json, "site"), "name"));
	if (json_is_array(ja(backup, "carried")))
		list = json_deep_copy(ja(backup, "carried"));
	else
		*ret_status = cli_fail(c, CLI_NO, M_CARRY_CLOCK);
	box_answer_free(&answer);
	return list;
}

/* Tells the box the schedule of each target for which it knows another one. True: something
 * changed. */
static bool told(struct cli *c, const struct schedule *s, const json_t *list)
{
	bool changed = false;
	char text[32];

	for (unsigned i = 0; i < TARGETS; i++) {
		unsigned long want = s->to[i] ? s->every : 0;

		if (want == ju(json_find(list, "to", words[i]), "every"))
			continue;
		snprintf(text, sizeof(text), want > 0 ? "every %lu d" : "off", want);
		record(c, MACHINE_BACKUP_SCHEDULED, i, text);
		changed = true;
	}
	return changed;
}

/* ---- the server ------------------------------------------------------------------------------ */

/* The reason of a failure as a word, by the exit status of
 * sekisho-fetch (appliance/fetch/fetch.h). */
static const char *word_of(int status)
{
	static const char *const ends[] = { NULL,	 "broken", "broken", "undeclared", "unreached",
					    "authority", "name",   "dates",  "tls",	   "no_folder",
					    "elsewhere", "answer", "full",   "cut",	   "slow",
					    "broken",	 "denied", "full",   "no_password" };
	int end = WIFEXITED(status) ? WEXITSTATUS(status) : 1;

	return (size_t)end < sizeof(ends) / sizeof(ends[0]) ? ends[end] : "broken";
}

static void in_run_folder(const struct cli *c, const char *name, char out[PATH_MAX])
{
	const char *end = strrchr(c->socket, '/');

	snprintf(out, PATH_MAX, "%.*s/%s", end != NULL ? (int)(end - c->socket) : 1, end != NULL ? c->socket : ".",
		 name);
}

static const char *send_to_server(const struct cli *c, const char *name, struct bytes file)
{
	char program[PATH_MAX], settings[PATH_MAX], bytes[24];
	char *const argv[] = { program,
			       (char *)(uintptr_t) "--put",
			       (char *)(uintptr_t)name,
			       bytes,
			       (char *)(uintptr_t)SEND_S,
			       settings,
			       (char *)(uintptr_t)PASSWORD,
			       NULL };
	posix_spawn_file_actions_t with;
	int fd, r, status = -1;
	pid_t pid;

	snprintf(bytes, sizeof(bytes), "%zu", file.left);
	in_run_folder(c, "backup.conf", settings);
	fd = program_path("sekisho-fetch", program) ? memfd_sealed("sekisho-backup", file.p, file.left) : -1;
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0 || posix_spawn_file_actions_init(&with) != 0) {
		if (fd >= 0)
			close(fd);
		return "broken";
	}
	r = posix_spawn_file_actions_adddup2(&with, fd, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn(&pid, program, &with, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&with);
	close(fd);
	while (r == 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return r == 0 ? word_of(status) : "broken";
}

/* ---- a run ----------------------------------------------------------------------------------- */

struct carrying {
	struct cli *c;
	const struct schedule *schedule;
	const json_t *list; /* the box's list of scheduled backups */
	char site[HOST_MOST + 1];
	json_t *said; /* results of this run, for --json */
	char prefix[16 + HOST_MOST], name[16 + HOST_MOST + 40];
	int stick; /* descriptor of the stick, -1 = not open */
	bool wants[TARGETS];
	bool now; /* a person waits for the result */
	bool good;
};

static void finish(struct carrying *k, unsigned target, const char *why, struct bytes file, const char *sha256)
{
	char text[RECORD_MOST + 1];

	k->wants[target] = false;
	k->good = k->good && why == NULL;
	json_array_append_new(k->said, json_pack("{s:s, s:o, s:o}", "to", words[target], "file",
						 why == NULL ? json_text(k->name) : json_null(), "why",
						 why != NULL ? json_text(why) : json_null()));
	if (why == NULL) {
		snprintf(text, sizeof(text), "%s, %zu bytes, SHA-256 %s", k->name, file.left, sha256);
		record(k->c, MACHINE_BACKUP_CARRIED, target, text);
	} else if (k->now || !js_is(json_find(k->list, "to", words[target]), "why", why) ||
		   strcmp(why, "absent") != 0) {
		/* A stick that is absent is looked for each hour; its absence is recorded once. */
		record(k->c, MACHINE_BACKUP_NOT_CARRIED, target, why);
	}
	if (k->c->json)
		return;
	if (why == NULL)
		render_line(k->c, M_CARRY_DONE, message_format(names[target], k->c->lang), k->name, sha256);
	else
		render_line(k->c, M_CARRY_FAILED, message_format(names[target], k->c->lang),
			    word_text("carried", why, k->c->lang));
}

static void give_up(struct carrying *k, const char *why)
{
	for (unsigned i = 0; i < TARGETS; i++)
		if (k->wants[i])
			finish(k, i, why, bytes_of(NULL, 0), "");
}

static int store(void *ctx, struct bytes file, const char *sha256)
{
	struct carrying *k = ctx;

	if (k->wants[STICK])
		finish(k, STICK, stick_store(k->stick, k->prefix, k->name, file, (unsigned)k->schedule->keep), file,
		       sha256);
	if (k->wants[SERVER])
		finish(k, SERVER, send_to_server(k->c, k->name, file), file, sha256);
	return CLI_YES;
}

/* "sekisho-SITE-20261129T043300Z.backup" */
static void name_it(struct carrying *k)
{
	char host[HOST_MOST + 1] = "", date[32] = "";
	time_t now = time(NULL);
	struct tm utc;

	snprintf(host, sizeof(host), "%s", k->site);
	if (*host == '\0')
		(void)gethostname(host, sizeof(host) - 1);
	for (char *s = host; *s != '\0'; s++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", *s) == NULL)
			*s = '-';
	if (gmtime_r(&now, &utc) != NULL)
		(void)strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc);
	snprintf(k->prefix, sizeof(k->prefix), "sekisho-%s-", host);
	snprintf(k->name, sizeof(k->name), "%s%s.backup", k->prefix, date);
}

/* Looks for the stick first, so that no backup is made for a stick that is not there. */
static void carry(struct carrying *k, const char *state, backup_make *make)
{
	const char *why = k->wants[STICK] ? stick_open(&k->stick) : NULL;

	if (why != NULL)
		finish(k, STICK, why, bytes_of(NULL, 0), "");
	if (access(CLI_BOX_FOLDER "/backup.pem", F_OK) < 0)
		give_up(k, "no_certificate");
	if ((k->wants[STICK] || k->wants[SERVER]) && make(k->c, state, store, k) != CLI_YES)
		give_up(k, "not_made");
	if (k->stick >= 0)
		close(k->stick);
}

/* Whether a person wants a backup now; takes the word for it away. */
static bool wanted_now(const struct cli *c)
{
	char path[PATH_MAX];

	in_run_folder(c, BACKUP_NOW, path);
	return unlink(path) == 0;
}

int backup_carry(struct cli *c, bool only_due, const char *state, backup_make *make)
{
	struct carrying k = { .c = c, .stick = -1, .now = wanted_now(c), .good = true };
	struct schedule schedule;
	json_t *list = NULL;
	int lock = -1, status = schedule_read(c, &schedule, &lock);

	if (status == CLI_YES)
		list = asked(c, k.site, &status);
	if (list != NULL && told(c, &schedule, list)) {
		json_decref(list);
		list = asked(c, k.site, &status);
	}
	if (list != NULL) {
		k.schedule = &schedule;
		k.list = list;
		k.said = json_array();
		for (unsigned i = 0; i < TARGETS; i++)
			k.wants[i] =
				schedule.to[i] && (!only_due || k.now || jb(json_find(list, "to", words[i]), "due"));
		name_it(&k);
		if (k.wants[STICK] || k.wants[SERVER])
			carry(&k, state, make);
		else if (!c->json)
			render_line(c, lock < 0 ? M_CARRY_NONE : M_CARRY_NOT_DUE, SCHEDULE);
		if (c->json)
			json_line(c->out, json_pack("{s:O}", "targets", k.said));
		status = k.good ? CLI_YES : CLI_NO;
		json_decref(k.said);
		json_decref(list);
	}
	if (lock >= 0)
		close(lock);
	return status;
}

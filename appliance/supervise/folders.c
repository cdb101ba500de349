/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folders of roles, as the daemon finds them when it starts and can still do anything: what a role could not read, and could not put
 * away either, would end it again and again. So a folder's entries are files of its user; anything else is set aside, and is somebody's to look at.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/role/sandbox.h"
#include "appliance/supervise/supervise.h"

#define OWN 0600u /* the least that a role needs of its files */

static bool ends_so(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

/* A file with one name alone: another name might be somebody's whom its new owner must not read. */
static int take_over(int dirfd, const char *name, const struct stat *found, uid_t uid)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), code = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_ino != found->st_ino || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		code = -EINVAL;
	/* By way of root, who may change the mode of what is his without one capability more. */
	else if (fchown(fd, 0, 0) < 0 || fchmod(fd, (st.st_mode & 0777u) | OWN) < 0 || fchown(fd, uid, uid) < 0)
		code = -errno;
	close(fd);
	return code;
}

static void tidy(struct supervisor *s, const char *folder, int fd, uid_t uid)
{
	DIR *d = fdopendir(fd);
	struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		const char *name = entry->d_name;
		struct stat st;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || ends_so(name, ".damaged") ||
		    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode) && st.st_uid == uid && (st.st_mode & OWN) == OWN)
			continue;
		if (!S_ISREG(st.st_mode) || take_over(fd, name, &st, uid) < 0)
			say(s, file_aside(fd, name) == 0 ? M_FILE_ASIDE : M_FILE_STRANGE, folder, name);
	}
	if (d != NULL)
		closedir(d);
	else
		close(fd);
}

void folders_tidy(struct supervisor *s)
{
	static const struct {
		const char *name;
		enum role owner;
	} folders[] = { { "journal", ROLE_JOURNAL },
			{ "signing", ROLE_JOURNAL },
			{ "secrets", ROLE_MGMT },
			{ "accounts", ROLE_ACCOUNTS },
			{ "control", ROLE_CONTROL } };

	/* Of an earlier release the draft lies among what is root's. */
	if (faccessat(s->state_fd, "draft", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		(void)mkdirat(s->state_fd, "control", 0700);
		(void)renameat2(s->state_fd, "draft", s->state_fd, "control/draft", RENAME_NOREPLACE);
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int fd = openat(s->state_fd, folders[i].name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			tidy(s, folders[i].name, fd, sandbox_uid(folders[i].owner));
		else if (errno != ENOENT || faccessat(s->state_fd, folders[i].name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			say(s, file_aside(s->state_fd, folders[i].name) == 0 ? M_FILE_ASIDE : M_FILE_STRANGE, ".",
			    folders[i].name);
	}
}

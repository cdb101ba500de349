/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the folders of roles when the daemon starts and still has all rights. A file that a role
 * can neither read nor remove would end the role again and again. So each entry must be a file of
 * the role's user; others are set aside for a person to look at.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/logins.h"
#include "appliance/role/sandbox.h"
#include "appliance/supervise/folders.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/supervise.h"

#define OWN 0600u /* the least mode that a role needs on its files */

static bool ends_so(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

/* Root is made the owner first, because the owner may change the mode without another
 * capability. */
bool give_to(int fd, uid_t uid, mode_t mode)
{
	return fchown(fd, 0, 0) == 0 && fchmod(fd, mode) == 0 && fchown(fd, uid, uid) == 0;
}

/* Gives a file to the role's user. It must have a single name, because its contents might belong to
 * somebody else under another name. */
static int take_over(int dirfd, const char *name, const struct stat *found, uid_t uid)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), code = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_ino != found->st_ino || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		code = -EINVAL;
	else if (!give_to(fd, uid, (st.st_mode & 0777u) | OWN))
		code = -errno;
	close(fd);
	return code;
}

static void tidy_folder(struct supervisor *s, const char *folder, int fd, uid_t uid)
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
			supervisor_say(s, file_aside(fd, name) == 0 ? M_FILE_ASIDE : M_FILE_STRANGE, folder, name);
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

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int fd = openat(s->ground.state_fd, folders[i].name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			tidy_folder(s, folders[i].name, fd, sandbox_uid(folders[i].owner));
		else if (errno != ENOENT ||
			 faccessat(s->ground.state_fd, folders[i].name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			supervisor_say(
				s, file_aside(s->ground.state_fd, folders[i].name) == 0 ? M_FILE_ASIDE : M_FILE_STRANGE,
				".", folders[i].name);
	}
}

/* Whether the folder is empty; false when it cannot be read. */
static bool is_empty(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again >= 0 ? fdopendir(again) : NULL;
	const struct dirent *entry;
	bool empty = d != NULL;

	if (d == NULL) {
		if (again >= 0)
			close(again);
		return false;
	}
	while (empty && (entry = readdir(d)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(d);
	return empty;
}

enum narrow narrow_folder(int fd, mode_t mode)
{
	struct stat st, generations;
	bool ours;

	if (fstat(fd, &st) < 0)
		return NARROW_WIDER;
	if ((st.st_mode & 0777 & ~mode) == 0)
		return NARROW_FITS;
	ours = st.st_uid == geteuid() && (st.st_mode & S_ISVTX) == 0 &&
	       (fstatat(fd, "generations", &generations, AT_SYMLINK_NOFOLLOW) == 0 || is_empty(fd));
	return ours && fchmod(fd, st.st_mode & mode) == 0 ? NARROW_DONE : NARROW_WIDER;
}

/*
 * The sockets that people connect to: root's, and the one for members of the group of logins, on
 * which the role control accepts. The supervisor keeps them open when control dies, so that clients
 * wait instead of failing. And the same two for orders, on which it accepts itself (persons.h).
 */

#define SOCKET_NAME "control.sock"
#define LOGINS_NAME "login.sock"
#define ORDERS_NAME "orders.sock"
#define LOGINS_ORDERS_NAME "login-orders.sock"
#define LOGINS_GROUP "sekisho"
#define GROUPS_FILE "/etc/group"

/*
 * Opens the socket `name` in the run folder, for root and this group. This process holds the lock
 * of the data namespace, so a socket there belongs to no living daemon. The owner is set before the
 * mode, so that nobody else can connect in between.
 */
static int listen_at(struct ground *ground, const char *name, gid_t gid, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, code;
	mode_t old;

	unlinkat(ground->run_fd, name, 0);
	if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", ground->o->run, name) >= (int)sizeof(a.sun_path))
		return err_set(e, -ENAMETOOLONG, "%s in %s", name, ground->o->run);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, -errno, "%s", name);
	old = umask(0177);
	code = bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0 ||
			       fchownat(ground->run_fd, name, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
			       fchmodat(ground->run_fd, name, 0660, 0) < 0
		       ? -errno
		       : 0;
	umask(old);
	if (code == 0)
		return fd;
	close(fd);
	unlinkat(ground->run_fd, name, 0);
	return err_set(e, code, "%s", a.sun_path);
}

int listen_open(struct supervisor *s, struct err *e)
{
	struct err logins = { 0 };
	uint32_t gid;

	/* The control socket comes last: whoever finds it finds the other one, too. */
	s->sockets.orders[0] = listen_at(&s->ground, ORDERS_NAME, 0, e);
	if (s->sockets.orders[0] >= 0)
		s->sockets.listen = listen_at(&s->ground, SOCKET_NAME, SANDBOX_UID_NOTIFY, e);
	if (s->sockets.orders[0] < 0 || s->sockets.listen < 0)
		return e->code;
	unlinkat(s->ground.run_fd, LOGINS_NAME, 0);
	unlinkat(s->ground.run_fd, LOGINS_ORDERS_NAME, 0);
	if (login_group(GROUPS_FILE, LOGINS_GROUP, &gid)) {
		s->sockets.orders[1] = listen_at(&s->ground, LOGINS_ORDERS_NAME, gid, &logins);
		s->sockets.logins = listen_at(&s->ground, LOGINS_NAME, gid, &logins);
	}
	if (logins.code != 0)
		fprintf(stderr, "sekishod: %s\n", logins.text);
	return 0;
}

void listen_end(struct supervisor *s)
{
	static const char *const names[] = { SOCKET_NAME, LOGINS_NAME, ORDERS_NAME, LOGINS_ORDERS_NAME };
	const int fds[] = { s->sockets.listen, s->sockets.logins, s->sockets.orders[0], s->sockets.orders[1] };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			unlinkat(s->ground.run_fd, names[i], 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets that people connect to, which the role control accepts from: root's, who may be found there by his credentials, and that of logins, for whoever is in its
 * group. They stay open over every death of that role, so that who connects meanwhile waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/base/logins.h"
#include "appliance/role/sandbox.h"
#include "appliance/supervise/supervise.h"

#define SOCKET_NAME "control.sock"
#define LOGINS_NAME "login.sock"
#define LOGINS_GROUP "sekisho"
#define GROUPS_FILE "/etc/group"

int listen_open(struct supervisor *s, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, code;
	mode_t old;

	if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", s->o->run, SOCKET_NAME) >= (int)sizeof(a.sun_path))
		return err_set(e, -ENAMETOOLONG, "control socket in %s", s->o->run);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, -errno, "control socket");
	/* The lock on the data namespace is ours: whatever socket lies here is a dead one's. */
	unlinkat(s->run_fd, SOCKET_NAME, 0);
	old = umask(0177);
	code = bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0 ||
			       fchownat(s->run_fd, SOCKET_NAME, (uid_t)-1, SANDBOX_UID_NOTIFY, 0) < 0 ||
			       fchmodat(s->run_fd, SOCKET_NAME, 0660, 0) < 0
		       ? -errno
		       : 0;
	umask(old);
	if (code < 0) {
		close(fd);
		return err_set(e, code, "control socket %s", a.sun_path);
	}
	return fd;
}

/* Where there is no such group there is no such socket. */
static int open_logins(struct supervisor *s, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	uint32_t gid;
	mode_t old;
	int fd, code;

	unlinkat(s->run_fd, LOGINS_NAME, 0);
	if (!login_group(GROUPS_FILE, LOGINS_GROUP, &gid))
		return -1;
	if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", s->o->run, LOGINS_NAME) >= (int)sizeof(a.sun_path))
		return err_set(e, -ENAMETOOLONG, "%s in %s", LOGINS_NAME, s->o->run);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, -errno, "%s", LOGINS_NAME);
	old = umask(0177);
	/* Its group before its mode: nobody else connects in between. */
	code = bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0 ||
			       fchownat(s->run_fd, LOGINS_NAME, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
			       fchmodat(s->run_fd, LOGINS_NAME, 0660, 0) < 0
		       ? -errno
		       : 0;
	umask(old);
	if (code < 0) {
		close(fd);
		unlinkat(s->run_fd, LOGINS_NAME, 0);
		return err_set(e, code, "%s", a.sun_path);
	}
	return fd;
}

void listen_open_logins(struct supervisor *s)
{
	struct err e = { 0 };

	s->logins_fd = open_logins(s, &e);
	if (s->logins_fd < 0 && e.text[0] != 0)
		fprintf(stderr, "sekishod: %s\n", e.text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to the service manager (sd_notify(3)): ready, status, ending, and a sign of life as long
 * as the roles that decide about packets answer. watch.c ends a role that hangs much earlier. Only
 * if such a role has not come back for ROLES_LIMIT (time without a processor does not count), no
 * sign of life is sent, and the manager restarts the whole daemon as the last resort. Journal, tap
 * and API are no reason for that: a restart would interrupt inspection without bringing them back,
 * and `status` reports them.
 *
 * The manager keeps the socket that owns the rules for the next daemon, however this one ends
 * (FDSTORE in sd_notify(3)).
 *
 * The messages are datagrams to a socket, so libsystemd is not needed. It would bring four
 * libraries for compression and encryption into the process with the most privileges.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/supervise/notify.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"

#define SOCKET "NOTIFY_SOCKET"
/* FDPOLL=0: the manager must not drop the socket when it has an event */
#define KEEP "FDSTORE=1\nFDNAME=rules\nFDPOLL=0"
#define FORGET "FDSTOREREMOVE=1\nFDNAME=rules"
#define FIRST_KEPT 3		   /* sd_listen_fds(3) */
#define ALIVE_EVERY 1000000000ull  /* ns */
#define ROLES_LIMIT 20000000000ull /* ns: twice as long as a role may take to be ready */

struct notify {
	int fd; /* -1 = no service manager */
	bool ready;
	uint64_t alive_at; /* monotonic ns: the next sign of life */
	uint64_t number;   /* the generation that was told last */
};

/* The descriptors that the manager kept, if they are for this process. The variables are removed,
 * so that children do not get them. */
int notify_kept(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	long n = pid != NULL && count != NULL && strtol(pid, NULL, 10) == getpid() ? strtol(count, NULL, 10) : 0;

	for (int fd = FIRST_KEPT; fd < FIRST_KEPT + n; fd++)
		if (n > 1 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			close(fd);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return n == 1 ? FIRST_KEPT : -1;
}

/* A failure is ignored: it is no concern of the box if the manager does not read, or has ended. */
static void tell_with(const struct supervisor *s, const char *text, int fd)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} with = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (s->notify == NULL || s->notify->fd < 0)
		return;
	if (fd >= 0) {
		memcpy(CMSG_DATA(&with.h), &fd, sizeof(fd));
		m.msg_control = &with;
		m.msg_controllen = sizeof(with);
	}
	(void)sendmsg(s->notify->fd, &m, MSG_NOSIGNAL);
}

static void tell_systemd(const struct supervisor *s, const char *text)
{
	tell_with(s, text, -1);
}

int notify_open(struct supervisor *s, struct err *e)
{
	const char *path = getenv(SOCKET);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = path != NULL ? strlen(path) : 0;

	s->notify = calloc(1, sizeof(*s->notify));
	if (s->notify == NULL)
		return err_set(e, -ENOMEM, "service manager");
	s->notify->fd = -1;
	if (n == 0)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || n >= sizeof(to.sun_path))
		return err_set(e, -EINVAL, "%s names no socket", SOCKET);
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = 0;
	s->notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->notify->fd < 0 || connect(s->notify->fd, (const struct sockaddr *)&to,
					 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return err_set(e, -errno, "socket of the service manager");
	unsetenv(SOCKET); /* children must not speak to the manager */
	if (s->sockets.rules >= 0 && !s->sockets.rules_kept) {
		/* the socket that the manager kept is of a namespace that does not exist
		 * any more */
		tell_systemd(s, FORGET);
		tell_with(s, KEEP, s->sockets.rules);
	}
	return 0;
}

static void tell_status(struct supervisor *s, const char *first, enum message m, ...)
{
	char text[512];
	size_t n = (size_t)snprintf(text, sizeof(text), "%sSTATUS=", first);
	va_list ap;

	va_start(ap, m);
	message_vtext(text + n, sizeof(text) - n, s->ground.o->lang, m, ap);
	va_end(ap);
	tell_systemd(s, text);
}

/* Tells which policy is in force: with the first message, and after each change. */
static void say_ready(struct supervisor *s)
{
	const char *first = s->notify->ready ? "" : "READY=1\n";

	if (s->notify->ready && s->notify->number == s->gens.now->number)
		return;
	s->notify->ready = true;
	s->notify->number = s->gens.now->number;
	if (s->gens.now->number != 0)
		tell_status(s, first, M_NOTIFY_IN_FORCE, (unsigned long long)s->gens.now->number);
	else
		tell_status(s, first, M_NOTIFY_NO_POLICY);
}

static bool role_decides(const struct slot *sl)
{
	return sl->state != SLOT_OFF && (sl->role == ROLE_ENFORCE || sl->role == ROLE_GATE || sl->role == ROLE_DPI);
}

static bool answer_all(const struct supervisor *s, uint64_t now)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (role_decides(&s->slots[i]) && now > s->slots[i].heard && now - s->slots[i].heard > ROLES_LIMIT)
			return false;
	return true;
}

uint64_t notify_due(struct supervisor *s, uint64_t now)
{
	struct notify *n = s->notify;

	/* Ready means: enforce watches the rules, and the former policy is in force or its failure
	 * was reported. */
	if (s->op.kind == OP_NONE && s->slots[SLOT_ENFORCE].state == SLOT_RUNNING)
		say_ready(s);
	if (now >= n->alive_at) {
		n->alive_at = now + ALIVE_EVERY;
		if (answer_all(s, now))
			tell_systemd(s, "WATCHDOG=1");
	}
	return n->fd >= 0 ? n->alive_at : UINT64_MAX;
}

void notify_ending(struct supervisor *s)
{
	tell_systemd(s, "STOPPING=1");
}

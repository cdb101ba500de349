/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: who may ask, one question at a time for each connection. Access is by the
 * socket's mode and by the peer's own credentials, which the kernel tells. Nothing here waits: a slow reader is cut off.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/role/sandbox.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/who.h"

#define SOCKET_NAME "control.sock"

struct client {
	int fd;		   /* -1 = free */
	uint64_t serial;   /* of this connection: an answer never reaches a successor */
	char by[BY_BYTES]; /* the login behind it */
	bool waiting;	   /* one question at a time */
	bool listens;	   /* sekisho-notify or sekisho-inform: it may ask how the box stands and what was recorded */
};

int control_open(struct supervisor *s, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, code;
	mode_t old;

	s->clients = calloc(CLIENTS, sizeof(*s->clients));
	if (s->clients == NULL)
		return err_set(e, -ENOMEM, "control socket");
	for (unsigned i = 0; i < CLIENTS; i++)
		s->clients[i].fd = -1;
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

static struct client *free_client(struct supervisor *s)
{
	for (size_t i = 0; i < CLIENTS; i++)
		if (s->clients[i].fd < 0)
			return &s->clients[i];
	return NULL;
}

/* Who tells alarms to others; the socket's group is the first one's, which the other belongs to. */
static bool tells(uid_t uid)
{
	return uid == SANDBOX_UID_NOTIFY || uid == SANDBOX_UID_INFORM;
}

static bool accept_one(struct supervisor *s)
{
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = free_client(s);
	struct ucred who;
	socklen_t n = sizeof(who);

	if (fd < 0)
		return false;
	if (c == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0 ||
	    (who.uid != 0 && who.uid != geteuid() && !tells(who.uid))) {
		close(fd);
		return true;
	}
	*c = (struct client){ .fd = fd, .serial = ++s->next_serial, .listens = tells(who.uid) };
	who_name(who.pid, who.uid, c->by, sizeof(c->by));
	return true;
}

void control_accept(struct supervisor *s)
{
	for (unsigned i = 0; i < CLIENTS && accept_one(s); i++)
		;
}

static void client_close(struct client *c)
{
	close(c->fd);
	*c = (struct client){ .fd = -1 };
}

void answer_fd(struct supervisor *s, struct asker a, int status, int fd)
{
	struct client *c = a.kind == ASKER_CLIENT ? &s->clients[a.client] : NULL;
	const struct msg_body m = { MSG_ANSWER, .answer = { .status = (uint8_t)status } };

	if (a.kind == ASKER_CHANGE) {
		change_judged(s, a, status, fd);
		return;
	}
	if (a.kind == ASKER_RECORDS) {
		records_answered(s, a, status, fd);
		return;
	}
	if (a.kind == ASKER_MGMT) {
		role_send(s, &s->slots[SLOT_MGMT], a.id, &m, &fd, fd >= 0 ? 1 : 0);
		return;
	}
	if (c == NULL || c->fd < 0 || c->serial != a.serial)
		return; /* went away without waiting */
	c->waiting = false;
	if (msg_send(c->fd, a.id, &m, &fd, fd >= 0 ? 1 : 0) < 0)
		client_close(c);
}

void answer_json(struct supervisor *s, struct asker a, int status, json_t *j)
{
	int fd = j != NULL ? json_memfd(j) : -ENOMEM;

	answer_fd(s, a, fd < 0 && status == ANSWER_YES ? ANSWER_CANNOT : status, fd);
	if (fd >= 0)
		close(fd);
}

int control_client(const struct supervisor *s, unsigned at)
{
	return s->clients != NULL ? s->clients[at].fd : -1;
}

/*
 * Of another release, before or after an upgrade. What its numbers mean nobody here knows, so nothing is done; but it hears why, in the one answer
 * that is the same in all versions, and then the end of the connection.
 */
static void answer_other_version(const struct client *c, const struct msg *m)
{
	const struct msg_body answer = { MSG_ANSWER, .answer = { .status = ANSWER_CANNOT } };
	json_t *j = json_pack(
		"{s:o}", "error",
		json_sentence(m->version < MSG_VERSION ? M_CONTROL_OLDER : M_CONTROL_NEWER, m->version, MSG_VERSION));
	int fd = j != NULL ? json_memfd(j) : -ENOMEM;

	if (fd >= 0) {
		msg_send_as(c->fd, m->version, m->id, &answer, &fd, 1);
		close(fd);
	}
}

void control_readable(struct supervisor *s, unsigned at)
{
	struct client *c = &s->clients[at];
	struct peer p = { .s = s, .asker = { .kind = ASKER_CLIENT, .client = at, .serial = c->serial }, .by = c->by };
	struct msg m;
	int r = msg_recv(c->fd, ROLE_CLI, ROLE_SUPERVISOR, &m);

	if (r == -EAGAIN)
		return;
	if (r == -EPROTO && !c->waiting)
		answer_other_version(c, &m);
	if (r != 1 || c->waiting || (c->listens && m.body.type != MSG_STATUS && m.body.type != MSG_EVENTS)) {
		if (r == 1)
			msg_close_fds(&m);
		client_close(c);
		return;
	}
	c->waiting = true;
	if (!peer_said(&p, &m))
		client_close(c);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: who may connect, and one question at a time for each connection. The socket's
 * mode and the peer's credentials from the kernel decide access. Nothing here waits: a slow reader
 * is disconnected. Orders that change the box come by other sockets, which the supervisor reads.
 *
 * A second socket is for people's logins. The members of its group may connect, but that gives them
 * no right. Each question is held until the role accounts has answered whose login this is and
 * whether that person's account may ask it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/logins.h"
#include "appliance/control/answer.h"
#include "appliance/control/answers.h"
#include "appliance/control/at_machine.h"
#include "appliance/control/backup.h"
#include "appliance/control/certificates.h"
#include "appliance/control/change.h"
#include "appliance/control/client.h"
#include "appliance/control/control.h"
#include "appliance/control/ground.h"
#include "appliance/control/people.h"
#include "appliance/control/questions.h"
#include "appliance/control/records.h"
#include "appliance/control/show.h"
#include "appliance/control/watch.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/role/who.h"
#include "appliance/wire/judged.h"

int people_open(struct control *s, struct err *e)
{
	s->clients = calloc(CLIENTS, sizeof(*s->clients));
	if (s->clients == NULL)
		return err_set(e, -ENOMEM, "control socket");
	for (unsigned i = 0; i < CLIENTS; i++)
		s->clients[i].fd = -1;
	return answer_open(s, e);
}

static struct client *free_client(struct control *s, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		if (s->clients[i].fd < 0)
			return &s->clients[i];
	return NULL;
}

static void client_close(struct client *c)
{
	if (c->login && c->waiting)
		msg_close_fds(&c->held);
	close(c->fd);
	explicit_bzero(c, sizeof(*c));
	c->fd = -1;
}

/* The users that forward alarms. The socket belongs to the group of the first user; the second user
 * is a member of that group. */
static bool tells(uid_t uid)
{
	return uid == SANDBOX_UID_NOTIFY || uid == SANDBOX_UID_INFORM;
}

static bool accept_one(struct control *s)
{
	int fd = accept4(CONTROL_FD_SOCKET, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = free_client(s, 0, CLIENTS_ASKING);
	struct ucred who;
	socklen_t n = sizeof(who);

	if (fd < 0)
		return false;
	if (c == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0 || (who.uid != 0 && !tells(who.uid))) {
		close(fd);
		return true;
	}
	*c = (struct client){ .fd = fd,
			      .serial = ++s->next_serial,
			      .listens = tells(who.uid),
			      .uid = who.uid,
			      .typed = who_typed(who.pid, who.uid) };
	/* the record of a generation has room for no longer name */
	who_name(who.pid, who.uid, c->by, BY_BYTES);
	return true;
}

void people_accept(struct control *s)
{
	for (unsigned i = 0; i < CLIENTS_ASKING && accept_one(s); i++)
		;
}

/* Whether the peer has closed the connection. Such a connection no longer counts, so a login may
 * open a new connection for each question without reaching its limit. */
static bool has_gone(const struct client *c)
{
	char x;

	return !c->waiting && recv(c->fd, &x, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* A place for one more connection of this login; NULL = none. */
static struct client *login_place(struct control *s, uid_t uid, uint64_t now)
{
	struct client *silent = NULL;
	unsigned all = 0, own = 0;

	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &s->clients[i];

		if (c->fd >= 0 && c->login && has_gone(c))
			client_close(c);
		if (c->fd < 0 || !c->login)
			continue;
		all++;
		own += c->uid == uid;
		if (!c->waiting && now - c->heard >= LOGIN_IDLE_NS && (silent == NULL || c->heard < silent->heard))
			silent = c;
	}
	if (own >= LOGINS_EACH)
		return NULL;
	if (all < LOGINS_MOST)
		return free_client(s, 0, CLIENTS_ASKING);
	if (silent != NULL)
		client_close(silent);
	return silent;
}

static bool accept_login(struct control *s)
{
	int fd = accept4(CONTROL_FD_LOGINS, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = NULL;
	struct ucred who;
	socklen_t n = sizeof(who);
	uint64_t now = now_ns();

	if (fd < 0)
		return false;
	/* A uid of another user namespace that this one does not map belongs to nobody. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && login_is_persons(who.uid))
		c = login_place(s, who.uid, now);
	if (c == NULL) {
		close(fd);
		return true;
	}
	*c = (struct client){ .fd = fd,
			      .serial = ++s->next_serial,
			      .login = true,
			      .uid = who.uid,
			      .heard = now,
			      .typed = who_typed(who.pid, who.uid) };
	return true;
}

void people_accept_logins(struct control *s)
{
	for (unsigned i = 0; i < LOGINS_MOST && accept_login(s); i++)
		;
}

static void login_judged(struct control *s, struct asker a, int status, int fd);

static void answer_client(struct control *s, struct asker a, int status, int fd)
{
	struct client *c = &s->clients[a.client];
	const struct msg_body m = { MSG_ANSWER, .answer = { .status = (uint8_t)status } };

	if (c->fd < 0 || c->serial != a.serial)
		return; /* the asker has left */
	if (c->login)
		msg_close_fds(&c->held);
	c->waiting = false;
	/* Whoever gave an order to the supervisor gets its answer, and no more. */
	if (msg_send(c->fd, a.id, &m, &fd, fd >= 0 ? 1 : 0) < 0 || c->handed)
		client_close(c);
}

/* Sends the answer to the asker; `a` is emptied. */
static void deliver(struct control *s, struct answer *a)
{
	struct asker to = a->to;
	int status;

	status = answer_pack(a);
	switch (to.kind) {
	case ASKER_CHANGE:
		change_answered(s, to, status, a->fd);
		break;
	case ASKER_RECORDS:
		records_answered(s, to, status, a->fd);
		break;
	case ASKER_BACKUP:
		backup_told(s, to, status, a->fd);
		break;
	case ASKER_SHOW:
		show_told(s, to, status, a->fd);
		break;
	case ASKER_ENDS:
		near_end_told(s, to, status, a->fd);
		break;
	case ASKER_CERTIFICATE:
		certificates_file(s, to, status, a->fd);
		break;
	case ASKER_MGMT:
		if (s->web >= 0)
			(void)msg_send(s->web, to.id,
				       &(struct msg_body){ MSG_ANSWER, .answer = { .status = (uint8_t)status } },
				       &a->fd, a->fd >= 0);
		break;
	case ASKER_LOGIN:
		login_judged(s, to, status, a->fd);
		break;
	case ASKER_CLIENT:
		answer_client(s, to, status, a->fd);
		break;
	case ASKER_NONE:
		break;
	}
	answer_free(a);
}

void people_answer(struct control *s, uint64_t now)
{
	struct answer a;

	do {
		while (answer_take(s, &a))
			deliver(s, &a);
		change_settle(s);
		collect_settled(s);
	} while (s->answers != NULL);
}

/*
 * Questions of a login are read at a limited pace, because each takes time from others. Returns 0,
 * or the time until which this connection waits. A pace for all logins together also limits those
 * who connect anew for each question.
 */
static uint64_t waits_until(const struct control *s, const struct client *c)
{
	uint64_t own = c->name[0] != 0 ? c->heard + LOGIN_PACE_NS : 0;

	if (c->fd < 0 || !c->login || c->waiting)
		return 0;
	return own > s->logins_again ? own : s->logins_again;
}

int people_client(const struct control *s, unsigned at)
{
	return s->clients != NULL && now_ns() >= waits_until(s, &s->clients[at]) ? s->clients[at].fd : -1;
}

uint64_t people_next(const struct control *s)
{
	uint64_t next = UINT64_MAX, now = now_ns();

	for (unsigned i = 0; s->clients != NULL && i < CLIENTS; i++) {
		uint64_t until = waits_until(s, &s->clients[i]);

		if (until > now && until < next)
			next = until;
	}
	return next;
}

/*
 * The message is of another release, before or after an upgrade. Its type numbers are unknown here,
 * so nothing is done. The sender gets the one answer that is the same in all versions, and the
 * connection is closed.
 */
static void answer_other_version(const struct client *c, uint16_t version, uint32_t id)
{
	const struct msg_body answer = { MSG_ANSWER, .answer = { .status = ANSWER_CANNOT } };
	json_t *j = json_pack(
		"{s:o}", "error",
		json_sentence(version < MSG_VERSION ? M_CONTROL_OLDER : M_CONTROL_NEWER, version, MSG_VERSION));
	int fd = j != NULL ? json_memfd(j) : -ENOMEM;

	if (fd >= 0) {
		msg_send_as(c->fd, version, id, &answer, &fd, 1);
		close(fd);
	}
}

/* ---- logins that are no root's --------------------------------------------------------------- */

static void people_refuse(struct control *s, struct asker a, enum message m)
{
	respond_json(s, a, ANSWER_CANNOT, json_pack("{s:o}", "error", json_sentence(m)));
}

/* Looks up the login of that uid in the machine's file, then asks accounts about this one
 * question. */
static void login_asked(struct control *s, struct client *c, struct asker a)
{
	enum right right = at_machine_right(&c->held.body);
	struct msg_body who = { .type = MSG_AT_MACHINE, .at_machine = { .uid = c->uid, .right = (uint8_t)right } };
	struct asker judge = a;

	judge.kind = ASKER_LOGIN;
	c->account[0] = 0;
	if (!login_of_uid(LOGINS_FILE, c->uid, c->name)) {
		snprintf(c->name, sizeof(c->name), "?");
		people_refuse(s, a, M_LOGIN_AT_MACHINE);
	} else if (right == RIGHT_COUNT) {
		people_refuse(s, a, M_LOGIN_ROOT_ALONE);
	} else if (at_machine_own(&c->held.body) && c->typed != c->uid) {
		people_refuse(s, a, c->typed == NO_TYPIST ? M_LOGIN_UNTOLD : M_LOGIN_ANOTHER);
	} else {
		memcpy(who.at_machine.login, c->name, strlen(c->name));
		collect_pass(s, SLOT_ACCOUNTS, &who, judge);
	}
}

/* The login of the client's uid, by the machine's file as it is now. */
static struct typist typist_of(const struct client *c)
{
	struct typist t = { .uid = c->login ? c->uid : c->typed };

	if (!login_of_uid(LOGINS_FILE, t.uid, t.login))
		t.login[0] = 0;
	return t;
}

/* Takes the answer of accounts. The question is asked only if accounts says yes and names an
 * account. */
static void login_judged(struct control *s, struct asker a, int status, int fd)
{
	struct client *c = &s->clients[a.client];
	const struct typist typist = typist_of(c);
	struct peer p = { .s = s, .asker = a, .by = c->by, .account = c->account, .typist = &typist };

	if (c->fd < 0 || c->serial != a.serial || !c->login || !c->waiting)
		return;
	p.asker.kind = ASKER_CLIENT;
	if (status != ANSWER_YES) {
		answer_client(s, p.asker, ANSWER_CANNOT, fd);
		return;
	}
	if (!judged_name(fd, c->account, NULL)) {
		people_refuse(s, p.asker, M_LOGIN_AT_MACHINE);
		return;
	}
	snprintf(c->by, sizeof(c->by), "%s/%s", c->name, c->account);
	if (!peer_said(&p, &c->held))
		client_close(c);
}

/* ---- orders that the supervisor has read ----------------------------------------------------- */

void people_handed(struct control *s, struct msg *m)
{
	const struct msg_hand *h = &m->body.hand;
	struct client *c = free_client(s, CLIENTS_ASKING, CLIENTS);
	struct asker a = { .kind = ASKER_CLIENT, .id = h->asked, .tell = true };

	/* The supervisor has fewer orders at a time than there are places. */
	if (c == NULL)
		return;
	*c = (struct client){ .fd = msg_take_fd(m, 0), .serial = ++s->next_serial, .waiting = true, .handed = true };
	if (h->version != MSG_VERSION) {
		answer_other_version(c, h->version, h->asked);
		client_close(c);
		return;
	}
	a.client = (uint32_t)(c - s->clients);
	a.serial = c->serial;
	if (h->changes != 0)
		a = change_handed(s, a, (enum change_order)h->order, h->revision);
	collect_handed(s, m->id, a);
}

static void login_readable(struct control *s, unsigned at)
{
	struct client *c = &s->clients[at];
	struct asker a = { .kind = ASKER_CLIENT, .client = at, .serial = c->serial, .login = true };
	struct msg early;
	int r;

	/* While one question is held, no other is accepted: any further message closes the
	 * connection. */
	r = msg_recv(c->fd, ROLE_CLI, ROLE_CONTROL, c->waiting ? &early : &c->held);
	if (r == -EAGAIN)
		return;
	if (r == -EPROTO && !c->waiting)
		answer_other_version(c, c->held.version, c->held.id);
	if (r == 1 && !c->waiting) {
		c->waiting = true;
		c->heard = now_ns();
		s->logins_again = c->heard + LOGINS_PACE_NS;
		a.id = c->held.id;
		login_asked(s, c, a);
		return;
	}
	if (r == 1)
		msg_close_fds(&early);
	client_close(c);
	asker_gone(s, &a);
}

short people_events(const struct control *s, unsigned at)
{
	return s->clients[at].handed ? 0 : POLLIN;
}

void people_readable(struct control *s, unsigned at)
{
	struct client *c = &s->clients[at];
	struct typist typist;
	struct peer p = { .s = s,
			  .asker = { .kind = ASKER_CLIENT, .client = at, .serial = c->serial },
			  .by = c->by,
			  .typist = &typist };
	struct msg m;
	int r;

	p.asker.login = c->login;
	if (c->handed) {
		client_close(c);
		asker_gone(s, &p.asker);
		return;
	}
	if (c->login) {
		login_readable(s, at);
		return;
	}
	r = msg_recv(c->fd, ROLE_CLI, ROLE_CONTROL, &m);
	if (r == -EAGAIN)
		return;
	if (r == -EPROTO && !c->waiting)
		answer_other_version(c, m.version, m.id);
	if (r != 1 || c->waiting || (c->listens && m.body.type != MSG_STATUS && m.body.type != MSG_EVENTS)) {
		if (r == 1)
			msg_close_fds(&m);
		client_close(c);
		asker_gone(s, &p.asker);
		return;
	}
	c->waiting = true;
	typist = typist_of(c);
	if (!peer_said(&p, &m))
		client_close(c);
}

/* ---- the web side ---------------------------------------------------------------------------- */

uint64_t people_web_from(const struct control *s)
{
	return collect_hears(s);
}

static void web_gone(struct control *s)
{
	close(s->web);
	s->web = -1;
	collect_gone(s, SLOT_MGMT);
	change_forget(s);
	records_forget(s);
	answer_forget_web(s);
}

void people_web(struct control *s, int fd)
{
	if (s->web >= 0)
		web_gone(s);
	s->web = fd;
	s->web_number++;
}

void people_web_readable(struct control *s)
{
	struct peer p = { .s = s, .asker.kind = ASKER_MGMT, .by = role_name(ROLE_MGMT) };

	/* A bounded number of messages a turn, so that the web side does not occupy the loop. */
	for (unsigned i = 0; i < 16 && s->web >= 0 && now_ns() >= people_web_from(s); i++) {
		struct msg m;
		int r = msg_recv(s->web, ROLE_MGMT, ROLE_CONTROL, &m);

		if (r == -EAGAIN)
			return;
		if (r == 1 && (web_said(s, &m) || peer_said(&p, &m)))
			continue;
		/* Closed, broken or invalid: the supervisor starts mgmt anew. */
		web_gone(s);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role accounts: sole owner of the accounts' folder. It hears questions from the supervisor alone, of which those of the web side are what
 * strangers typed; it decides, and never waits for a hash (hasher.h). Sessions and failures are in its memory: a start of it lets
 * nobody in who has not logged in again.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/accounts/desk.h"
#include "appliance/base/clock.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"

#define TURN_MS 60000

struct accounts {
	struct desk desk;
	struct event_port events;
};

static struct moment moment_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (struct moment){ .ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec,
				.wall_s = clock_wall_ns() / 1000000000u };
}

/* A supervisor that is gone is noticed by the loop; one that does not read gives up by itself. */
static void say_answer(void *ctx, uint32_t id, enum answer_status status, json_t *j)
{
	const struct msg_body m = { MSG_ANSWER, .answer = { .status = (uint8_t)status } };
	int fd = j != NULL ? json_memfd(j) : -1;

	(void)ctx;
	msg_send(ROLE_FD_CONTROL, id, &m, &fd, fd >= 0 ? 1 : 0);
	if (fd >= 0)
		close(fd);
}

static bool say_hash(void *ctx, const struct hash_question *q)
{
	(void)ctx;
	return hasher_ask(ACCOUNTS_FD_HASHER, q);
}

static void say_event(void *ctx, const struct event *e)
{
	struct accounts *a = ctx;

	event_send(&a->events, e);
}

static bool on_status(void *ctx, struct msg *m)
{
	struct accounts *a = ctx;
	struct msg_body answer = { .type = MSG_ACCOUNTS_STATUS };

	desk_status(&a->desk, moment_now(), &answer.accounts_status);
	answer.accounts_status.events_lost = a->events.lost;
	return msg_send(ROLE_FD_CONTROL, m->id, &answer, NULL, 0) == 0;
}

static bool on_login(void *ctx, struct msg *m)
{
	struct accounts *a = ctx;

	desk_login(&a->desk, m->id, &m->body.login, moment_now());
	explicit_bzero(m->storage, sizeof(m->storage));
	return true;
}

static bool on_judge(void *ctx, struct msg *m)
{
	struct accounts *a = ctx;

	desk_judge(&a->desk, m->id, &m->body.judge, moment_now());
	return true;
}

static bool on_logout(void *ctx, struct msg *m)
{
	struct accounts *a = ctx;

	desk_logout(&a->desk, m->id, &m->body.logout, moment_now());
	return true;
}

static bool on_user(void *ctx, struct msg *m)
{
	struct accounts *a = ctx;

	desk_user(&a->desk, m->id, &m->body.user, moment_now());
	explicit_bzero(m->storage, sizeof(m->storage));
	return true;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_STATUS] = on_status, [MSG_LOGIN] = on_login, [MSG_JUDGE] = on_judge,
	[MSG_LOGOUT] = on_logout, [MSG_USER] = on_user,
};

/* 0 when the supervisor is gone, negative errno when the hasher is. */
static int loop(struct accounts *a)
{
	struct pollfd p[2] = { { .fd = ROLE_FD_CONTROL, .events = POLLIN },
			       { .fd = ACCOUNTS_FD_HASHER, .events = POLLIN } };
	struct hash_answer h;
	int r;

	for (;;) {
		if (poll(p, 2, TURN_MS) < 0 && errno != EINTR)
			return -errno;
		desk_look(&a->desk, moment_now());
		if (p[1].revents != 0) {
			while ((r = hasher_answer(ACCOUNTS_FD_HASHER, &h)) == 1)
				desk_hashed(&a->desk, &h, moment_now());
			explicit_bzero(&h, sizeof(h));
			if (r < 0)
				return r;
		}
		if (p[0].revents != 0) {
			r = msg_serve(ROLE_FD_CONTROL, ROLE_ACCOUNTS, handlers, a);
			if (r <= 0 && r != -EAGAIN && r != -EINTR)
				return r;
		}
		p[0].revents = p[1].revents = 0;
	}
}

int role_accounts(void)
{
	static struct accounts a; /* large, and there is one */
	const struct desk_out out = { .ctx = &a, .answer = say_answer, .hash = say_hash, .event = say_event };
	struct err e = { 0 };
	int fd, r;

	signal(SIGPIPE, SIG_IGN);
	a.events.fd = ROLE_FD_EVENTS;
	fd = hasher_start(&e);
	r = fd < 0 ? fd : 0;
	if (fd >= 0 && fd != ACCOUNTS_FD_HASHER) {
		r = dup2(fd, ACCOUNTS_FD_HASHER) < 0 ? err_set(&e, -errno, "socket of the hasher") : 0;
		close(fd);
	}
	if (r == 0)
		r = sandbox_enter(ROLE_ACCOUNTS, &e);
	if (r == 0)
		r = desk_open(&a.desk, ACCOUNTS_FD_FOLDER, &out, moment_now(), &e);
	if (r == 0 && (r = msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0)) < 0)
		err_set(&e, r, "control channel");
	if (r == 0 && (r = loop(&a)) < 0)
		err_set(&e, r, "hasher or control channel");
	explicit_bzero(&a, sizeof(a));
	if (r < 0)
		fprintf(stderr, "sekishod accounts: %s\n", e.text);
	return r < 0 ? 3 : 0;
}

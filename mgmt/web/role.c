/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The management role: serves the pages and the API on a socket that it was given, changes nothing
 * of the box itself, and asks the role control for everything. It runs in the admin namespace
 * without privileges, has its key and token in memory, and can open no file.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"
#include "mgmt/web/certificate.h"
#include "mgmt/web/http.h"
#include "mgmt/web/secrets.h"

static int complain(const struct err *e)
{
	fprintf(stderr, "sekishod mgmt: %s\n", e->text);
	return 3;
}

static bool on_status(void *ctx, struct msg *m)
{
	struct http_counts n = http_counts(ctx);
	const struct msg_body answer = { MSG_MGMT_STATUS, .mgmt_status = { .requests = n.requests,
									   .refused = n.refused,
									   .unanswered = n.unanswered,
									   .connections = n.connections,
									   .token = http_token(ctx) } };
	int r = msg_send(MGMT_FD_PEOPLE, m->id, &answer, NULL, 0);

	return r == 0 || r == -EAGAIN; /* a receiver that missed it will ask again */
}

static bool on_answer(void *ctx, struct msg *m)
{
	http_answer(ctx, m);
	return true;
}

static bool on_progress(void *ctx, struct msg *m)
{
	http_progress(ctx, m);
	return true;
}

/* Answers what is known of the certificates in a text. If none is handed over, the text is the
 * box's own authority. */
static bool on_certificates(void *ctx, struct msg *m)
{
	struct msg_body answer = { .type = MSG_CERTIFIED };
	const char *own = http_authority(ctx);
	uint8_t *text = NULL;
	struct err e;
	size_t n = 0;
	int r;

	if (m->n_fds == 0)
		answer.certified = certificate_summary(own, strlen(own));
	else if (memfd_read(m->fds[0], CERTIFICATE_FILE, &text, &n, &e) == 0)
		answer.certified = certificate_summary(text, n);
	free(text);
	r = msg_send(MGMT_FD_PEOPLE, m->id, &answer, NULL, 0);
	return r == 0 || r == -EAGAIN; /* a receiver that missed it will ask again */
}

/* Messages of control, which collects answers and asks for our status; the supervisor sends only
 * pings. */
static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_STATUS] = on_status,
	[MSG_ANSWER] = on_answer,
	[MSG_CERTIFICATES] = on_certificates,
	[MSG_PROGRESS] = on_progress,
};

static msg_handler *const none[MSG_TYPE_COUNT];

/* 1 = go on, 0 = the peer is gone, negative errno. */
static int hear_messages(struct http *h, int fd, enum role from)
{
	int r;

	do
		r = msg_serve_of(fd, from, ROLE_MGMT, from == ROLE_CONTROL ? handlers : none, h);
	while (r == 1);
	return r == -EAGAIN || r == -EINTR ? 1 : r;
}

static int loop(struct http *h)
{
	struct pollfd p[5] = { { .fd = ROLE_FD_CONTROL, .events = POLLIN },
			       { .fd = MGMT_FD_PEOPLE, .events = POLLIN },
			       { .fd = http_poll_fd(h), .events = POLLIN },
			       { .fd = http_gone_fd(h), .events = POLLIN },
			       { .fd = http_left_fd(h), .events = POLLIN } };
	int r = 1;

	while (r > 0) {
		http_run(h, clock_mono());
		if (poll(p, 5, http_wait_ms(h, clock_mono())) < 0 && errno != EINTR)
			return -errno;
		if (p[0].revents != 0)
			r = hear_messages(h, ROLE_FD_CONTROL, ROLE_SUPERVISOR);
		if (r > 0 && p[1].revents != 0)
			r = hear_messages(h, MGMT_FD_PEOPLE, ROLE_CONTROL);
		for (unsigned i = 0; i < 5; i++)
			p[i].revents = 0;
	}
	return r;
}

static int nonblocking(int fd, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(e, -errno, "control channel");
	return 0;
}

/* Reports that the kept token could not be used. Called before any request is answered. */
static int say_token(const struct secrets *s, const struct err *why)
{
	const struct msg_body m = { MSG_MGMT_STATUS, .mgmt_status = { .token = (uint8_t)s->is } };

	(void)complain(why);
	return msg_send(ROLE_FD_CONTROL, 0, &m, NULL, 0);
}

int role_mgmt(void)
{
	struct event_port events = { .fd = ROLE_FD_EVENTS };
	struct secrets secrets;
	struct http *h = NULL;
	struct err e = { 0 };
	int r;

	signal(SIGPIPE, SIG_IGN);
	tzset(); /* reads a file, which the sandbox forbids later */
	r = secrets_open(MGMT_FD_SECRETS, &secrets, &e);
	if (r == 0)
		r = nonblocking(ROLE_FD_CONTROL, &e);
	if (r == 0)
		r = nonblocking(MGMT_FD_PEOPLE, &e);
	if (r == 0 && (h = http_start(MGMT_FD_LISTEN, MGMT_FD_PEOPLE, &secrets, &events, &e)) == NULL)
		r = e.code;
	secrets_forget_key(&secrets);
	if (r == 0)
		r = sandbox_enter(ROLE_MGMT, &e);
	close(MGMT_FD_SECRETS);
	if (r == 0 && secrets.is != TOKEN_KEPT)
		r = say_token(&secrets, &e);
	if (r == 0 && (r = msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0)) < 0)
		err_set(&e, r, "control channel");
	if (r == 0 && (r = loop(h)) < 0)
		err_set(&e, r, "control channel");
	http_stop(h);
	secrets_free(&secrets);
	return r < 0 ? complain(&e) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "appliance/control/answers.h"
#include "appliance/control/backup.h"
#include "appliance/control/change.h"
#include "appliance/control/control.h"
#include "appliance/control/dispatch.h"
#include "appliance/control/errands.h"
#include "appliance/control/ground.h"
#include "appliance/control/impact.h"
#include "appliance/control/people.h"
#include "appliance/control/records.h"
#include "appliance/control/show.h"
#include "appliance/control/tried.h"
#include "appliance/control/uninspected.h"
#include "appliance/control/watch.h"
#include "appliance/control/watch_hours.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"

enum { POLL_BOX, POLL_WEB, POLL_SOCKET, POLL_LOGINS, POLL_CLIENT, POLL_COUNT = POLL_CLIENT + CLIENTS };

/* The parts of the role: the time of their next work in monotonic ns, and the work. */
static const struct {
	uint64_t (*next)(const struct control *s);
	void (*due)(struct control *s, uint64_t now);
} parts[] = {
	{ collect_next, collect_due }, { watches_next, watches_due }, { impact_next, impact_due },
	{ hours_next, hours_due },     { source_next, source_due },   { backup_next, backup_due },
	{ work_next, work_due },       { change_next, change_due },   { people_next, people_answer },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static int wait_ms(const struct control *s, uint64_t now)
{
	uint64_t due = people_web_from(s), other;

	if (due <= now)
		due = UINT64_MAX;
	for (size_t i = 0; i < PARTS; i++) {
		other = parts[i].next(s);
		due = other < due ? other : due;
	}
	if (due == UINT64_MAX)
		return -1;
	if (due <= now)
		return 0;
	due = (due - now + 999999u) / 1000000u;
	return due > 60000u ? 60000 : (int)due;
}

/* False: the supervisor is gone or sent something invalid. */
static bool hear_box(struct control *s)
{
	struct msg m;
	int r;

	while ((r = msg_recv(ROLE_FD_CONTROL, ROLE_SUPERVISOR, ROLE_CONTROL, &m)) == 1)
		if (!box_said(s, &m))
			return false;
	return r == -EAGAIN;
}

/* False: the role ends. */
static bool role_turn(struct control *s)
{
	struct pollfd p[POLL_COUNT];
	uint64_t now = now_ns();

	for (unsigned i = 0; i < POLL_COUNT; i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	p[POLL_BOX].fd = ROLE_FD_CONTROL;
	/* Nobody can be told anything before the supervisor has reported the state. */
	if (s->stands) {
		p[POLL_WEB].fd = now >= people_web_from(s) ? s->web : -1;
		p[POLL_SOCKET].fd = CONTROL_FD_SOCKET;
		p[POLL_LOGINS].fd = s->logins ? CONTROL_FD_LOGINS : -1;
		for (unsigned i = 0; i < CLIENTS; i++)
			p[POLL_CLIENT + i] =
				(struct pollfd){ .fd = people_client(s, i), .events = people_events(s, i) };
	}
	if (poll(p, POLL_COUNT, s->stands ? wait_ms(s, now) : -1) < 0)
		return true;
	if (p[POLL_BOX].revents != 0 && !hear_box(s))
		return false;
	if (!s->stands)
		return true;
	if (s->web_next >= 0) {
		people_web(s, s->web_next);
		s->web_next = -1;
	}
	if (p[POLL_WEB].revents != 0 && p[POLL_WEB].fd == s->web)
		people_web_readable(s);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (p[POLL_CLIENT + i].revents != 0 && people_client(s, i) == p[POLL_CLIENT + i].fd)
			people_readable(s, i);
	if (p[POLL_SOCKET].revents != 0)
		people_accept(s);
	if (p[POLL_LOGINS].revents != 0)
		people_accept_logins(s);
	now = now_ns();
	for (size_t i = 0; i < PARTS; i++)
		parts[i].due(s, now);
	return true;
}

static int open_all(struct control *s, struct err *e)
{
	int r = collect_open(s, e);

	if (r == 0)
		r = people_open(s, e);
	if (r == 0)
		r = change_open(s, e);
	if (r == 0)
		r = records_open(s, e);
	if (r == 0)
		r = backup_open(s, e);
	if (r == 0)
		r = impact_open(s, e);
	if (r == 0)
		r = work_open(s, work_undone, e);
	tried_open(s);
	carried_open(s);
	hours_open(s);
	alarms_open(s);
	return r == 0 ? show_open(s, e) : r;
}

int role_control(void)
{
	struct control s = {
		.web = -1, .web_next = -1, .compose = answers_compose, .events = { .fd = ROLE_FD_EVENTS }
	};
	struct err e = { 0 };
	struct stat st;
	int flags;

	signal(SIGPIPE, SIG_IGN);
	tzset();
	flags = fcntl(ROLE_FD_CONTROL, F_GETFL);
	if (flags < 0 || fcntl(ROLE_FD_CONTROL, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    sandbox_enter(ROLE_CONTROL, &e) < 0 || open_all(&s, &e) < 0) {
		fprintf(stderr, "sekishod control: %s\n", e.text);
		return 1;
	}
	if (msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		return 0;
	s.logins = fstat(CONTROL_FD_LOGINS, &st) == 0 && S_ISSOCK(st.st_mode);
	while (role_turn(&s))
		;
	return 0;
}

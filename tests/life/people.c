/* SPDX-License-Identifier: Apache-2.0 */
/* The people who ask control: their connections, and the answers that came. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/judged.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"
#include "tests/life/processes_private.h"

#define TEXT_MOST (4u << 20)
#define CONNECTED 32u /* connections at the same time, at most */

static uint32_t connected[CONNECTED];
static unsigned n_connected;

static void hang_up(struct answer *a)
{
	uint32_t number = (uint32_t)(a - processes.answers);

	for (unsigned i = 0; i < n_connected; i++)
		if (connected[i] == number)
			connected[i--] = connected[--n_connected];
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

void people_told(const struct msg *m)
{
	struct answer *a = m->id < ANSWERS_KEPT ? &processes.answers[m->id] : NULL;
	uint8_t *text = NULL;
	struct err e;
	size_t n;

	if (a == NULL)
		return;
	if (m->body.type == MSG_PROGRESS) {
		a->reports++;
		return;
	}
	a->told = true;
	a->times++;
	a->status = m->body.answer.status;
	if (m->n_fds > 0 && memfd_read(m->fds[0], TEXT_MOST, &text, &n, &e) == 0) {
		free(a->whole);
		a->whole = calloc(1, n + 1);
		LIFE(a->whole != NULL);
		memcpy(a->whole, text, n);
		n = n < sizeof(a->text) - 1 ? n : sizeof(a->text) - 1;
		memcpy(a->text, text, n);
		a->text[n] = '\0';
	}
	free(text);
}

void people_web_end(void)
{
	for (unsigned i = 0; i < ANSWERS_KEPT; i++)
		if (processes.answers[i].web)
			processes.answers[i].asked = false;
}

void people_end(void)
{
	while (n_connected > 0)
		hang_up(&processes.answers[connected[0]]);
	for (unsigned i = 0; i < ANSWERS_KEPT; i++)
		processes.answers[i].asked = false;
}

static void hears(struct answer *a)
{
	struct msg m;
	int r = msg_recv(a->fd, ROLE_CONTROL, ROLE_CLI, &m);

	if (r == -EAGAIN)
		return;
	if (r == 1) {
		people_told(&m);
		msg_close_fds(&m);
		if (a->told)
			hang_up(a);
		return;
	}
	a->closed = true;
	a->asked = false;
	hang_up(a);
}

bool people_turn(void)
{
	struct pollfd p[CONNECTED];
	unsigned n = n_connected;

	for (unsigned i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = processes.answers[connected[i]].fd, .events = POLLIN };
	if (n == 0 || poll(p, n, 0) <= 0)
		return false;
	for (unsigned i = n; i-- > 0;)
		if (p[i].revents != 0)
			hears(&processes.answers[connected[i]]);
	return true;
}

int person_connects(enum way way, bool order)
{
	static const char *const sockets[][2] = { { "control.sock", "orders.sock" },
						  { "login.sock", "login-orders.sock" } };
	static const uint32_t uids[] = { [AS_ROOT] = 0, [AS_NOTIFY] = SANDBOX_UID_NOTIFY, [AS_LOGIN] = PERSON_LOGIN };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/run/%s", life.folder, sockets[way == AS_LOGIN][order]);
	machine.person = uids[way];
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

uint32_t person_asks(enum way way, const struct msg_body *question, int fd)
{
	const struct process *web = process_of(ROLE_MGMT);
	uint32_t number = processes.asked + 1;
	struct answer *a = &processes.answers[number];
	int to;

	if (number >= ANSWERS_KEPT || process_of(ROLE_CONTROL) == NULL || n_connected == CONNECTED)
		return 0;
	to = way != OVER_WEB ? person_connects(way, order_is_boxs(question)) : web != NULL ? web->people : -1;
	if (to < 0)
		return 0;
	processes.asked = number;
	free(a->whole);
	*a = (struct answer){ .asked = true, .web = way == OVER_WEB, .fd = way != OVER_WEB ? to : -1 };
	if (way != OVER_WEB)
		connected[n_connected++] = number;
	if (msg_send(to, number, question, &fd, fd >= 0 ? 1 : 0) < 0) {
		a->asked = false;
		hang_up(a);
	}
	return number;
}

bool person_adds(uint32_t number, uint32_t id, const struct msg_body *more)
{
	return processes.answers[number].fd >= 0 && msg_send(processes.answers[number].fd, id, more, NULL, 0) == 0;
}

void person_leaves(uint32_t number)
{
	processes.answers[number].asked = false;
	hang_up(&processes.answers[number]);
}

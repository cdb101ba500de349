/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/persons.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/logins.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/orders.h"
#include "appliance/supervise/supervise.h"

#define LIMIT_NS (5 * SECOND)
#define EACH 3u /* connections of one login */
/* Least time between two connections of logins: each takes time from others. */
#define LOGINS_PACE_NS 10000000ull

enum { FROM_ROOT, FROM_LOGINS, FROMS };

_Static_assert(PERSONS_POLL == FROMS + FROMS * PERSONS_PLACES, "a place for each");

struct person {
	int fd; /* -1 = free */
	struct ucred who;
	uint64_t until; /* monotonic ns */
};

struct persons {
	struct person list[FROMS * PERSONS_PLACES]; /* first those of root's socket */
	uint64_t logins_again;			    /* monotonic ns */
};

int persons_open(struct supervisor *s, struct err *e)
{
	s->persons = calloc(1, sizeof(*s->persons));
	if (s->persons == NULL)
		return err_set(e, -ENOMEM, "persons");
	for (size_t i = 0; i < FROMS * PERSONS_PLACES; i++)
		s->persons->list[i].fd = -1;
	return 0;
}

static struct person *free_place(struct persons *p, unsigned from)
{
	for (struct person *at = &p->list[from * PERSONS_PLACES]; at < &p->list[(from + 1) * PERSONS_PLACES]; at++)
		if (at->fd < 0)
			return at;
	return NULL;
}

static bool may_come(const struct persons *p, unsigned from, uid_t uid)
{
	unsigned own = 0;

	if (from == FROM_ROOT)
		return uid == 0 || uid == geteuid();
	for (size_t i = FROM_LOGINS * PERSONS_PLACES; i < FROMS * PERSONS_PLACES; i++)
		own += p->list[i].fd >= 0 && p->list[i].who.uid == uid;
	return login_is_persons(uid) && own < EACH;
}

void persons_poll(const struct supervisor *s, struct pollfd p[PERSONS_POLL])
{
	struct persons *all = s->persons;

	for (unsigned i = 0; i < PERSONS_POLL; i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	if (s->slots[SLOT_CONTROL].state != SLOT_RUNNING)
		return;
	for (unsigned from = 0; from < FROMS; from++)
		if (free_place(all, from) != NULL && (from == FROM_ROOT || mono_ns() >= all->logins_again))
			p[from].fd = s->sockets.orders[from];
	for (unsigned i = 0; i < FROMS * PERSONS_PLACES; i++)
		p[FROMS + i].fd = all->list[i].fd;
}

static void person_comes(struct supervisor *s, unsigned from)
{
	struct person *at = free_place(s->persons, from),
		      new = { .fd = accept4(s->sockets.orders[from], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK),
			      .until = mono_ns() + LIMIT_NS };
	socklen_t n = sizeof(new.who);

	if (from == FROM_LOGINS)
		s->persons->logins_again = mono_ns() + LOGINS_PACE_NS;
	if (new.fd < 0)
		return;
	if (at != NULL && getsockopt(new.fd, SOL_SOCKET, SO_PEERCRED, &new.who, &n) == 0 &&
	    may_come(s->persons, from, new.who.uid))
		*at = new;
	else
		close(new.fd);
}

static void person_goes(struct person *at)
{
	close(at->fd);
	at->fd = -1;
}

static void person_speaks(struct supervisor *s, struct person *at, bool root)
{
	struct msg m;
	int r = msg_recv(at->fd, ROLE_CLI, ROLE_SUPERVISOR, &m);

	if (r == -EAGAIN)
		return;
	/* Also of another release: control says so. */
	if (r == 1 || r == -EPROTO)
		orders_at_machine(s, at->fd, &at->who, root, &m);
	msg_close_fds(&m);
	explicit_bzero(&m, sizeof(m));
	person_goes(at);
}

void persons_heard(struct supervisor *s, const struct pollfd p[PERSONS_POLL])
{
	for (unsigned i = 0; i < FROMS * PERSONS_PLACES; i++)
		if (p[FROMS + i].revents != 0)
			person_speaks(s, &s->persons->list[i], i < PERSONS_PLACES);
	for (unsigned from = 0; from < FROMS; from++)
		if (p[from].revents != 0)
			person_comes(s, from);
}

uint64_t persons_due(struct supervisor *s, uint64_t now)
{
	uint64_t due = s->persons->logins_again > now ? s->persons->logins_again : UINT64_MAX;

	for (struct person *at = s->persons->list; at < s->persons->list + FROMS * PERSONS_PLACES; at++) {
		if (at->fd >= 0 && now >= at->until)
			person_goes(at);
		else if (at->fd >= 0 && at->until < due)
			due = at->until;
	}
	return due;
}

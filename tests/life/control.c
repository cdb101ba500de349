/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/life/control.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "appliance/base/logins.h"
#include "appliance/role/roles.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"
#include "tests/life/processes.h"

#define STACK (1u << 20)
#define LAST CONTROL_FD_QUEUES

static struct {
	bool begun, inside, returned;
	ucontext_t here, back;
	void *stack;
	/* what it waits for */
	struct pollfd *fds;
	nfds_t n;
	uint64_t due;
} it;

/* Gives all its descriptors up: only their numbers stay taken. */
void control_places(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = ROLE_FD_CONTROL; i <= LAST; i++)
		if (i != fd)
			(void)dup2(fd, i);
	if (fd > LAST)
		close(fd);
}

static void body(void)
{
	(void)role_control();
	it.returned = true;
	it.inside = false;
	swapcontext(&it.here, &it.back);
}

bool control_begin(int chan, int events, const int *fds, size_t n)
{
	if (dup2(chan, ROLE_FD_CONTROL) < 0 || dup2(events, ROLE_FD_EVENTS) < 0)
		return false;
	for (size_t i = 0; i < n && ROLE_FD_FIRST + (int)i <= LAST; i++)
		if (dup2(fds[i], ROLE_FD_FIRST + (int)i) < 0)
			return false;
	memset(&it, 0, sizeof(it));
	it.stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	LIFE(it.stack != MAP_FAILED && getcontext(&it.here) == 0);
	it.here.uc_stack.ss_sp = it.stack;
	it.here.uc_stack.ss_size = STACK;
	it.here.uc_link = NULL;
	makecontext(&it.here, body, 0);
	it.begun = true;
	return true;
}

static int ready(struct pollfd *p, nfds_t n)
{
	struct timespec none = { 0 };

	return (int)ppoll(p, n, &none, NULL);
}

bool control_turn(void)
{
	if (!it.begun || it.returned || (it.fds != NULL && machine.mono_ns < it.due && ready(it.fds, it.n) == 0))
		return false;
	it.inside = true;
	swapcontext(&it.back, &it.here);
	return true;
}

bool control_returned(void)
{
	return it.returned;
}

uint64_t control_due(void)
{
	return it.begun && !it.returned ? it.due : UINT64_MAX;
}

void control_end(void)
{
	if (!it.begun)
		return;
	(void)munmap(it.stack, STACK);
	memset(&it, 0, sizeof(it));
	control_places();
}

bool control_inside(void)
{
	return it.inside;
}

int control_poll(struct pollfd *p, nfds_t n, int ms)
{
	uint64_t due = ms < 0 ? UINT64_MAX : machine.mono_ns + (uint64_t)ms * 1000000u;
	int r;

	while ((r = ready(p, n)) == 0 && machine.mono_ns < due) {
		it.fds = p;
		it.n = n;
		it.due = due;
		it.inside = false;
		swapcontext(&it.here, &it.back);
	}
	return r;
}

/* ---- what the test wants to know, or says ---------------------------------------------------- */

struct control;

bool __real_told_standing(struct control *s, struct msg *m);
bool __wrap_told_standing(struct control *s, struct msg *m);
bool __wrap_login_of_uid(const char *file, uint32_t uid, char out[LOGIN_MOST + 1]);
bool __wrap_login_group(const char *file, const char *name, uint32_t *ret_gid);

bool __wrap_told_standing(struct control *s, struct msg *m)
{
	processes.standing = m->body.standing;
	processes.standings++;
	return __real_told_standing(s, m);
}

bool __wrap_login_of_uid(const char *file, uint32_t uid, char out[LOGIN_MOST + 1])
{
	(void)file;
	(void)snprintf(out, LOGIN_MOST + 1, "ume");
	return uid == PERSON_LOGIN;
}

bool __wrap_login_group(const char *file, const char *name, uint32_t *ret_gid)
{
	(void)file, (void)name;
	*ret_gid = PERSON_LOGIN;
	return true;
}

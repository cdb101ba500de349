/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start and death of the roles' processes: replaces spawn.c of the supervisor, and the kernel's
 * part in it.
 */
#include "tests/life/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/role/roles.h"
#include "appliance/supervise/once.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/spawn.h"
#include "appliance/supervise/supervise.h"
#include "tests/life/control.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"
#include "tests/life/processes_private.h"

#define PROCESSES (SLOTS + 4u)

struct processes processes;
static struct process list[PROCESSES];
static pid_t last_pid = 100000;

void processes_new(void)
{
	processes = (struct processes){ .mute = ROLE_COUNT, .absent = ROLE_COUNT };
	processes_end();
}

/* Their other descriptors belong to the daemon's process, and are closed with it (life.c). */
void processes_end(void)
{
	journal_ends();
	for (unsigned i = 0; i < PROCESSES; i++)
		if (list[i].pulse != NULL)
			(void)munmap(list[i].pulse, sizeof(*list[i].pulse));
	memset(list, 0, sizeof(list));
	doors_end();
	control_end();
	people_end();
}

struct process *process_of(enum role role)
{
	for (unsigned i = 0; i < PROCESSES; i++)
		if (list[i].used && !list[i].dead && list[i].role == role)
			return &list[i];
	return NULL;
}

bool process_lives(enum role role)
{
	const struct process *p = process_of(role);

	return p != NULL && !p->frozen;
}

static struct process *by_pidfd(int pidfd)
{
	for (unsigned i = 0; i < PROCESSES; i++)
		if (list[i].used && list[i].pidfd == pidfd)
			return &list[i];
	return NULL;
}

void process_end(struct process *p, int code, int status)
{
	const uint64_t one = 1;

	if (p->dead)
		return;
	p->dead = true;
	p->code = code;
	p->status = status;
	if (p->chan >= 0)
		close(p->chan);
	if (p->people >= 0)
		close(p->people);
	p->chan = p->people = -1;
	(void)!write(p->exited, &one, sizeof(one));
	close(p->exited);
	if (p->pulse != NULL)
		(void)munmap(p->pulse, sizeof(*p->pulse));
	p->pulse = NULL;
	if (p->role == ROLE_JOURNAL)
		journal_ends();
	if (p->role == ROLE_MGMT)
		people_web_end();
	if (p->role != ROLE_CONTROL)
		return;
	control_end();
	people_end();
}

bool process_die(enum role role)
{
	struct process *p = process_of(role);

	if (p == NULL)
		return false;
	process_end(p, CLD_KILLED, SIGSEGV);
	return true;
}

bool process_freeze(enum role role)
{
	struct process *p = process_of(role);

	if (p == NULL)
		return false;
	p->frozen = true;
	return true;
}

bool process_says_under(enum role role, uint32_t id, const struct msg_body *m, int fd)
{
	const struct process *p = process_of(role);

	return p != NULL && msg_send(p->chan, id, m, &fd, fd >= 0 ? 1 : 0) == 0;
}

bool process_says(enum role role, const struct msg_body *m, int fd)
{
	return process_says_under(role, 0, m, fd);
}

pid_t process_pid(enum role role)
{
	const struct process *p = process_of(role);

	return p != NULL ? p->pid : 0;
}

bool gate_decided(uint32_t lane, uint64_t packets)
{
	const struct process *p = process_of(ROLE_GATE);

	if (p == NULL || p->pulse == NULL)
		return false;
	atomic_fetch_add(&p->pulse->decided[lane], packets);
	return true;
}

int process_reap(int pidfd, siginfo_t *ret)
{
	struct process *p = by_pidfd(pidfd);

	*ret = (siginfo_t){ 0 };
	if (p == NULL || !p->dead)
		return 0;
	ret->si_pid = p->pid;
	ret->si_code = p->code;
	ret->si_status = p->status;
	*p = (struct process){ 0 };
	return 0;
}

int process_signal(int pidfd, int sig)
{
	struct process *p = by_pidfd(pidfd);

	if (p == NULL) {
		errno = ESRCH;
		return -1;
	}
	process_end(p, CLD_KILLED, sig);
	return 0;
}

/* ---- a turn ---------------------------------------------------------------------------------- */

static void serve(struct process *p)
{
	struct msg m;
	int r = msg_recv(p->chan, ROLE_SUPERVISOR, p->role, &m);

	if (r == -EAGAIN)
		return;
	if (r != 1) {
		process_end(p, CLD_EXITED, 0);
		return;
	}
	(void)role_hears(p, &m);
	msg_close_fds(&m);
}

static bool begins(struct process *p)
{
	if (p->ready || p->role == ROLE_CONTROL)
		return false;
	p->ready = true;
	if (msg_send(p->chan, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		process_end(p, CLD_EXITED, 0);
	return true;
}

static bool control_runs(struct process *p)
{
	bool any = control_turn();

	if (control_returned())
		process_end(p, CLD_EXITED, 0);
	return any;
}

/* All sockets are polled in one call, because mostly nobody has anything to do. */
bool processes_turn(void)
{
	struct pollfd f[PROCESSES];
	bool done = false;

	/* Control waits for its descriptors itself. */
	for (unsigned i = 0; i < PROCESSES; i++)
		f[i] = (struct pollfd){ .fd = list[i].used && !list[i].dead && !list[i].frozen ? list[i].chan : -1,
					.events = POLLIN };
	if (poll(f, PROCESSES, 0) < 0)
		return false;
	for (unsigned i = 0; i < PROCESSES; i++) {
		struct process *p = &list[i];

		if (f[i].fd < 0)
			continue;
		done |= begins(p);
		if (p->role == ROLE_CONTROL)
			continue;
		if (f[i].revents != 0 && !p->dead) {
			done = true;
			serve(p);
		}
		if (!p->dead && !p->frozen)
			done |= role_turns(p);
	}
	for (unsigned i = 0; i < PROCESSES; i++)
		if (list[i].used && !list[i].dead && !list[i].frozen && list[i].role == ROLE_CONTROL)
			done |= control_runs(&list[i]);
	return done | people_turn();
}

uint64_t processes_due(void)
{
	uint64_t due = process_lives(ROLE_CONTROL) ? control_due() : UINT64_MAX;

	return process_lives(ROLE_ENFORCE) && late_due() < due ? late_due() : due;
}

/* ---- once.c: a kernel without a verdict cache ------------------------------------------------ */

void once_open(struct supervisor *s)
{
	s->workforce.once = (struct once){ .leases = NULL };
}

unsigned once_memory(const struct supervisor *s, uint32_t w, int ret[3])
{
	(void)s, (void)w, (void)ret;
	return 0;
}

void once_void(struct supervisor *s, enum lane_kind kind)
{
	(void)s, (void)kind;
}

void once_died(struct supervisor *s, uint32_t w, const siginfo_t *how)
{
	(void)s, (void)w, (void)how;
}

/* ---- spawn.c --------------------------------------------------------------------------------- */

/* Their places among the descriptors of a gate and of the web side (role/roles.h). */
#define GATE_PULSE (GATE_FD_PULSE - ROLE_FD_FIRST)
#define MGMT_PEOPLE (MGMT_FD_PEOPLE - ROLE_FD_FIRST)
#define JOURNAL_TOLD (JOURNAL_FD_TOLD - ROLE_FD_FIRST)

int spawn(const struct partition *partition, struct slot *sl, const int *fds, size_t n, int nsfd, struct err *e)
{
	struct process *p = list;
	int sv[2];

	(void)partition, (void)nsfd;
	/* In each slot there is only one process. */
	for (unsigned i = 0; i < PROCESSES; i++)
		LIFE(!list[i].used || list[i].dead || list[i].slot != sl->number);
	if (sl->role == processes.absent)
		return err_set(e, -EAGAIN, "start %s", role_name(sl->role));
	if (machine_call("fork", e) < 0)
		return e->code;
	while (p < list + PROCESSES && p->used)
		p++;
	if (p == list + PROCESSES || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv) < 0)
		return err_set(e, -EAGAIN, "start %s", role_name(sl->role));
	*p = (struct process){
		.used = true, .role = sl->role, .slot = sl->number, .pid = ++last_pid, .chan = sv[1], .people = -1
	};
	p->pidfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->exited = fcntl(p->pidfd, F_DUPFD_CLOEXEC, 3);
	if (sl->role == ROLE_GATE && n > GATE_PULSE)
		p->pulse = pulse_map(fds[GATE_PULSE], e);
	if (sl->role == ROLE_MGMT && n > MGMT_PEOPLE)
		p->people = fcntl(fds[MGMT_PEOPLE], F_DUPFD_CLOEXEC, 3);
	if (sl->role == ROLE_JOURNAL && n > JOURNAL_TOLD)
		journal_begin(fcntl(fds[JOURNAL_TOLD], F_DUPFD_CLOEXEC, 3));
	if (sl->role == ROLE_ENFORCE)
		doors_begin(fcntl(sl->event_in, F_DUPFD_CLOEXEC, 3));
	if (sl->role == ROLE_CONTROL) {
		LIFE(control_begin(sv[1], sl->event_in, fds, n));
		close(sv[1]);
		p->chan = -1;
	}
	sl->pid = p->pid;
	sl->pidfd = p->pidfd;
	sl->chan = sv[0];
	sl->stat = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return 0;
}

/* ---- partition.c: a machine without groups --------------------------------------------------- */

void partition_open(struct partition *ret)
{
	ret->state = PARTITION_NO_GROUPS;
}

json_t *partition_json(const struct partition *p)
{
	(void)p;
	return json_null();
}

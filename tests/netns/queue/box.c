/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small supervisor for one gate and one worker, so that both can be tested with real queues
 * without the rest of the box.
 *   box [--core N] LANE[:o]...      (":o" sets the fail-open flag)
 * Runs inside the network namespace whose queues it opens. Reads commands from standard input, one
 * a line: spawn, gate, liar SEED KIND, stop, cont, kill, killgate, settle, status, gatestatus.
 * Writes one line for each answer, and lines for events and hung workers when they come.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/arena.h"
#include "appliance/base/clock.h"
#include "appliance/control/role_json.h"
#include "appliance/gate/reset.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/role/outstanding.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/role/vigil.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/pairs.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/ring.h"
#include "appliance/wire/role.h"
#include "appliance/worker/queue.h"
#include "tests/netns/queue/liar.h"

#define HIGH 100 /* descriptors are moved above this number before they are put in place */
#define MAXLEN 4096

struct child {
	pid_t pid;
	int control, events, pidfd, stat;
};

struct box {
	struct child gate, worker;
	uint32_t lanes[LANE_COUNT];
	int queues[LANE_COUNT];
	unsigned n;
	int raw4, raw6, proc, sessions, pulse, core;
	uint32_t serial;
	bool lying; /* the worker is one that lies, and answers no questions */
};

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "box: %s: %s\n", what, e != NULL ? e->text : strerror(errno));
	exit(1);
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* ---- children -------------------------------------------------------------------------------- */

static void run_child(const struct box *b, const char *role, int control, int events, const int *more, int n)
{
	int from[8] = { control, events };

	for (int i = 0; i < n; i++)
		from[2 + i] = more[i];
	for (int i = 0; i < n + 2; i++)
		if (fcntl(from[i], F_DUPFD, HIGH + i) != HIGH + i)
			_exit(120);
	for (int i = 0; i < n + 2; i++)
		dup2(HIGH + i, 3 + i);
	closefrom(3 + n + 2);
	if (b->core >= 0)
		sandbox_place(b->core, NULL);
	execl("/proc/self/exe", "box", "--role", role, NULL);
	_exit(121);
}

static void spawn(const struct box *b, struct child *c, const char *role, const int *more, int n)
{
	int control[2], events[2];
	enum role r = strcmp(role, "gate") == 0 ? ROLE_GATE : ROLE_DPI;
	struct msg m;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, events) < 0)
		die("socketpair", NULL);
	c->pid = fork();
	if (c->pid == 0)
		run_child(b, role, control[1], events[1], more, n);
	close(control[1]);
	close(events[1]);
	c->control = control[0];
	c->events = events[0];
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	c->stat = vigil_open(c->pid, NULL);
	if (msg_recv(c->control, r, ROLE_SUPERVISOR, &m) != 1 || m.body.type != MSG_READY)
		die("a role did not become ready", NULL);
}

static void reap(struct child *c)
{
	if (c->pid <= 0)
		return;
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	close(c->control);
	close(c->events);
	close(c->pidfd);
	close(c->stat);
	c->pid = 0;
}

static void must(int r, const char *what)
{
	if (r < 0) {
		errno = -r;
		die(what, NULL);
	}
}

static void send_lanes(const struct box *b, int control)
{
	for (unsigned i = 0; i < b->n; i++) {
		const struct msg_body m = { MSG_LANE, .lane = { b->lanes[i], 1 } };

		must(msg_send(control, 0, &m, &b->queues[i], 1), "lane");
	}
}

/* The policy of this box: from the client's host to the server's host, on every port. */
static void send_pairs(int control)
{
	struct known_pair one = { .hi = UINT16_MAX };
	int fd;

	addr_parse("10.81.0.2", &one.client.lo);
	addr_parse("10.82.0.2", &one.server.lo);
	one.client.hi = one.client.lo;
	one.server.hi = one.server.lo;
	fd = memfd_sealed("pairs", &one, sizeof(one));
	must(msg_send(control, 0, &(struct msg_body){ .type = MSG_PAIRS }, &fd, 1), "pairs");
	close(fd);
}

static void start_gate(struct box *b)
{
	int more[] = { b->raw4, b->raw6, b->proc, b->sessions, b->pulse };

	spawn(b, &b->gate, "gate", more, 5);
	send_lanes(b, b->gate.control);
	send_pairs(b->gate.control);
}

/* With `liar`, a worker that writes random entries takes the place of the real one. */
static void start_worker(struct box *b, const char *liar)
{
	int ring = ring_create(NULL), wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fds[4], table;
	struct msg_body begun = { .type = MSG_WORKER };
	const struct msg_body start = { .type = MSG_DPI_START }, rules = { MSG_TABLE, .table = { .n_image = 1 } };
	struct msg m;

	b->lying = liar != NULL;
	fds[0] = shared_create("counts", sizeof(struct kept_counts), NULL);
	spawn(b, &b->worker, liar != NULL ? liar : "dpi", fds, 1);
	close(fds[0]);
	begun.worker.pid = (uint32_t)b->worker.pid;
	fds[0] = ring;
	fds[1] = wake;
	fds[2] = b->worker.pidfd;
	fds[3] = b->worker.stat;
	must(msg_send(b->gate.control, 0, &begun, fds, 4), "worker");
	must(msg_send(b->worker.control, 0, &start, fds, 2), "start");
	send_lanes(b, b->worker.control);
	close(ring);
	close(wake);
	if (liar != NULL)
		return;
	table = memfd_sealed("table", "x", 1);
	must(msg_send(b->worker.control, 0, &rules, &table, 1), "table");
	close(table);
	if (msg_recv(b->worker.control, ROLE_DPI, ROLE_SUPERVISOR, &m) != 1 || m.body.type != MSG_TABLE_ACK)
		die("no acknowledgement of the table", NULL);
}

/* ---- commands -------------------------------------------------------------------------------- */

static uint32_t waiting(const struct box *b)
{
	struct queue_state s[64];
	int n = outstanding_read(b->proc, s, 64);
	uint32_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += s[i].outstanding;
	return sum;
}

/* Measures the time from `since` until no packet waits any more. */
static void settle(const struct box *b, uint64_t since)
{
	uint64_t limit = since + 2000000000u, now;
	uint32_t n;

	do {
		nanosleep(&(const struct timespec){ .tv_nsec = 100000 }, NULL);
		n = waiting(b);
		now = clock_mono().ns;
	} while (n > 0 && now < limit);
	say("settled %u %.3f", n, (double)(now - since) / 1e6);
}

static void query(struct box *b, const struct child *c, enum role r, const char *name)
{
	struct msg m;
	json_t *j;
	char *text;

	must(msg_send(c->control, ++b->serial, &(struct msg_body){ .type = MSG_STATUS }, NULL, 0), "query");
	do {
		if (msg_recv(c->control, r, ROLE_SUPERVISOR, &m) != 1)
			die("no answer", NULL);
		if (m.body.type == MSG_HUNG)
			say("hung");
	} while (m.body.type == MSG_HUNG);
	j = role_json(&m.body, 0);
	text = json_dumps(j, JSON_COMPACT);
	say("status %s %s", name, text);
	free(text);
	json_decref(j);
	msg_close_fds(&m);
}

static bool command(struct box *b, char *line)
{
	uint64_t now = clock_mono().ns;
	uint32_t before;

	line[strcspn(line, "\n")] = 0;
	if (b->worker.pid <= 0 &&
	    (strcmp(line, "stop") == 0 || strcmp(line, "cont") == 0 || strcmp(line, "kill") == 0)) {
		say("no worker"); /* a signal to process 0 would go to the whole group */
	} else if (strcmp(line, "stop") == 0) {
		kill(b->worker.pid, SIGSTOP);
		say("done");
	} else if (strcmp(line, "cont") == 0) {
		kill(b->worker.pid, SIGCONT);
		say("done");
	} else if (strcmp(line, "kill") == 0) {
		before = waiting(b);
		now = clock_mono().ns;
		kill(b->worker.pid, SIGKILL);
		printf("waited %u ", before);
		settle(b, now);
		reap(&b->worker);
	} else if (strcmp(line, "killgate") == 0) {
		reap(&b->gate);
		reap(&b->worker);
		say("done");
	} else if (strcmp(line, "settle") == 0) {
		printf("waited %u ", waiting(b));
		settle(b, now);
	} else if (strcmp(line, "waiting") == 0) {
		say("waiting %u", waiting(b));
	} else if (strcmp(line, "spawn") == 0) {
		start_worker(b, NULL);
		say("done");
	} else if (strncmp(line, "liar", 4) == 0) {
		start_worker(b, line);
		say("done");
	} else if (strcmp(line, "gate") == 0) {
		start_gate(b);
		say("done");
	} else if (strcmp(line, "status") == 0 || strcmp(line, "gatestatus") == 0) {
		query(b, &b->gate, ROLE_GATE, "gate");
		if (strcmp(line, "status") == 0 && b->worker.pid > 0 && !b->lying)
			query(b, &b->worker, ROLE_DPI, "worker");
		say("done");
	} else {
		return false;
	}
	return true;
}

static void take_event(int fd)
{
	uint8_t wire[EVENT_WIRE_MAX];
	struct event e;
	ssize_t n;

	while ((n = recv(fd, wire, sizeof(wire), MSG_DONTWAIT)) > 0)
		if (event_decode(bytes_of(wire, (size_t)n), &e))
			say("event %u %s %llu %llu", e.kind, reason_word((enum reason)e.reason),
			    (unsigned long long)e.count, (unsigned long long)e.value);
}

static void take_gate(struct box *b)
{
	struct msg m;

	if (msg_recv(b->gate.control, ROLE_GATE, ROLE_SUPERVISOR, &m) != 1) {
		say("gate ended");
		reap(&b->gate);
	} else if (m.body.type == MSG_HUNG) {
		say("hung");
		reap(&b->worker);
	}
}

static void loop(struct box *b)
{
	char line[200];
	size_t n = 0;

	for (;;) {
		struct pollfd p[] = { { 0, POLLIN, 0 },
				      { b->gate.pid > 0 ? b->gate.control : -1, POLLIN, 0 },
				      { b->gate.pid > 0 ? b->gate.events : -1, POLLIN, 0 } };

		if (poll(p, 3, -1) < 0)
			continue;
		if (p[2].revents != 0)
			take_event(b->gate.events);
		if (p[1].revents != 0)
			take_gate(b);
		if (p[0].revents != 0) {
			if (read(0, &line[n], 1) != 1)
				return;
			if (line[n] != '\n' && n < sizeof(line) - 2) {
				n++;
				continue;
			}
			line[n] = 0;
			n = 0;
			if (!command(b, line))
				say("unknown command %s", line);
		}
	}
}

int main(int argc, char **argv)
{
	static struct box b = { .core = -1 };
	struct err e = { 0 };

	if (argc == 3 && strcmp(argv[1], "--role") == 0) {
		if (strcmp(argv[2], "gate") == 0)
			return role_gate(LANE_COMMANDS);
		return strncmp(argv[2], "liar", 4) == 0 ? role_liar(argv[2]) : role_dpi(LANE_COMMANDS);
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--core") == 0 && i + 1 < argc) {
			b.core = atoi(argv[++i]);
			continue;
		}
		b.lanes[b.n] = (uint32_t)atoi(argv[i]);
		b.queues[b.n] = queue_open(
			b.lanes[b.n], 1,
			&(struct queue_rule){ .maxlen = MAXLEN, .fail_open = strstr(argv[i], ":o") != NULL }, &e);
		if (b.queues[b.n] < 0)
			die("queue", &e);
		b.n++;
	}
	/* High priority, so that this process does not measure its own waiting for a processor. */
	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &(const struct sched_param){ .sched_priority = 60 });
	b.raw4 = reset_socket_open(AF_INET, &e);
	b.raw6 = reset_socket_open(AF_INET6, &e);
	b.proc = open("/proc/self/net/netfilter/nfnetlink_queue", O_RDONLY | O_CLOEXEC);
	b.sessions = session_probe_open(&e);
	b.pulse = pulse_create(&e);
	if (b.raw4 < 0 || b.raw6 < 0 || b.proc < 0 || b.sessions < 0 || b.pulse < 0)
		die("sockets", &e);
	start_gate(&b);
	start_worker(&b, NULL);
	say("ready");
	loop(&b);
	reap(&b.worker);
	reap(&b.gate);
	return 0;
}

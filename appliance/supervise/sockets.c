/* SPDX-License-Identifier: Apache-2.0 */
/* Opens descriptors that need privileges or another namespace, and are then passed to a role. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/enforce/sockets.h"
#include "appliance/gate/reset.h"
#include "appliance/kernel/session_probe.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/supervise/supervise.h"
#include "appliance/tap/neighbour.h"
#include "appliance/tap/session.h"
#include "appliance/tap/tap.h"
#include "appliance/worker/queue.h"

#define QUEUE_LENGTH 4096u   /* packets that may wait in one slot */
#define QUEUE_LENGTH_CUT 64u /* packets of sessions that are cut in any case */
/* how long another process may hold a queue while a policy is applied */
#define TAKEN_MS 3000u
#define TAKEN_STEP_MS 5u
#define ADMIN_PORT 443u
#define QUEUE_TABLE "/proc/self/net/netfilter/nfnetlink_queue"

static int open_monitor(void *ctx, struct err *e)
{
	(void)ctx;
	return enforce_socket_open(true, e);
}

static int open_reset4(void *ctx, struct err *e)
{
	(void)ctx;
	return reset_socket_open(AF_INET, e);
}

static int open_reset6(void *ctx, struct err *e)
{
	(void)ctx;
	return reset_socket_open(AF_INET6, e);
}

static int open_queue_table(void *ctx, struct err *e)
{
	int fd = open(QUEUE_TABLE, O_RDONLY | O_CLOEXEC), r = 0;

	(void)ctx;
	if (fd < 0 && errno == ENOENT) {
		r = queue_ready(e);
		fd = r < 0 ? r : open(QUEUE_TABLE, O_RDONLY | O_CLOEXEC);
	}
	return r < 0 ? r : fd < 0 ? err_set(e, -errno, "open the kernel's table of queues") : fd;
}

static int open_sessions(void *ctx, struct err *e)
{
	(void)ctx;
	return session_probe_open(e);
}

static int open_tap(void *ctx, struct err *e)
{
	(void)ctx;
	return tap_open(e);
}

static int open_passed(void *ctx, struct err *e)
{
	(void)ctx;
	return tap_sessions_open(e);
}

static int open_neighbours(void *ctx, struct err *e)
{
	(void)ctx;
	return tap_neighbours_open(e);
}

/* One socket for IPv4 and IPv6, where the kernel has IPv6. */
static int open_listener(void *ctx, struct err *e)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons(ADMIN_PORT),
				    .sin6_addr = IN6ADDR_ANY_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(ADMIN_PORT) };
	const int on = 1, off = 0;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r = -1, code;

	(void)ctx;
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		r = bind(fd, (const struct sockaddr *)&six, sizeof(six));
	}
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0)
			return err_set(e, -errno, "socket of the web side");
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		r = bind(fd, (const struct sockaddr *)&four, sizeof(four));
	}
	if (r == 0 && listen(fd, 64) == 0)
		return fd;
	code = -errno;
	close(fd);
	return err_set(e, code, "listen on port %u of the admin namespace", ADMIN_PORT);
}

/* One page of shared memory for all gates of a pair. */
static int open_pulse(struct pair *p, struct err *e)
{
	if (p->pulse_fd < 0)
		p->pulse_fd = pulse_create(e);
	if (p->pulse_fd >= 0 && p->pulse == NULL)
		p->pulse = pulse_map(p->pulse_fd, e);
	return p->pulse != NULL ? fcntl(p->pulse_fd, F_DUPFD_CLOEXEC, 3) : -1;
}

/* Memory of the daemon's life in which each control leaves its alarms. It cannot grow. */
static int open_alarms(struct supervisor *s, struct err *e)
{
	int fd;

	if (s->alarms_fd >= 0)
		return fcntl(s->alarms_fd, F_DUPFD_CLOEXEC, 3);
	fd = memfd_create("sekisho-alarms", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, CONTROL_ALARMS_BYTES) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
		err_set(e, -errno, "memory of alarms");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	s->alarms_fd = fd;
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Gives the folder to that user alone. Root is made the owner first, because the owner may change
 * the mode without another capability. */
static bool give_folder(int fd, uid_t uid)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (st.st_uid == uid && (st.st_mode & 0700u) == 0700u)
		return true;
	return fchown(fd, 0, 0) == 0 && fchmod(fd, 0700) == 0 && fchown(fd, uid, uid) == 0;
}

/* Opens a folder of state that belongs to the user of one role alone. */
static int open_folder(struct supervisor *s, const char *name, enum role owner, struct err *e)
{
	int fd;

	if (mkdirat(s->state_fd, name, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make the folder %s", name);
	fd = openat(s->state_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, -errno, "open the folder %s", name);
	if (!give_folder(fd, sandbox_uid(owner))) {
		int code = -errno;

		close(fd);
		return err_set(e, code, "owner of the folder %s", name);
	}
	return fd;
}

/* The web side's channel to control, which is told when it ends (relay.c). */
static int open_people(struct supervisor *s, struct err *e)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv) < 0)
		return err_set(e, -errno, "channel of the web side");
	if (s->relay.web >= 0)
		close(s->relay.web);
	s->relay.web = sv[0];
	return sv[1];
}

int role_descriptors(struct supervisor *s, const struct slot *sl, int fds[ROLE_FDS], int *nsfd, struct err *e)
{
	int data = s->spaces.data, n = 0;

	*nsfd = -1;
	switch (sl->role) {
	case ROLE_ENFORCE:
		*nsfd = data;
		fds[n++] = fcntl(s->rules_fd, F_DUPFD_CLOEXEC, 3);
		fds[n++] = in_namespace(s, data, open_monitor, NULL, e);
		if (fds[0] >= 0 && fds[1] >= 0 && backstop_follow(s, fds[0], e) < 0) {
			close(fds[1]);
			fds[1] = -1;
		}
		for (unsigned k = 0; s->once.leases != NULL && k < LANE_KINDS; k++)
			fds[n++] = fcntl(s->once.cache[k].program, F_DUPFD_CLOEXEC, 3);
		break;
	case ROLE_GATE:
		*nsfd = data;
		fds[n++] = in_namespace(s, data, open_reset4, NULL, e);
		fds[n++] = in_namespace(s, data, open_reset6, NULL, e);
		fds[n++] = in_namespace(s, data, open_queue_table, NULL, e);
		fds[n++] = in_namespace(s, data, open_sessions, NULL, e);
		fds[n++] = open_pulse(&s->pairs[sl->index], e);
		break;
	case ROLE_TAP:
		fds[n++] = in_namespace(s, data, open_tap, NULL, e);
		/* Stays open over restarts, so that events in between are recorded. */
		if (s->passed_fd < 0)
			s->passed_fd = in_namespace(s, data, open_passed, NULL, e);
		fds[n++] = s->passed_fd < 0 ? -1 : fcntl(s->passed_fd, F_DUPFD_CLOEXEC, 3);
		if (s->neighbours_fd < 0)
			s->neighbours_fd = in_namespace(s, data, open_neighbours, NULL, e);
		fds[n++] = s->neighbours_fd < 0 ? -1 : fcntl(s->neighbours_fd, F_DUPFD_CLOEXEC, 3);
		break;
	case ROLE_JOURNAL:
		fds[n++] = open_folder(s, "journal", ROLE_JOURNAL, e);
		fds[n] = open_folder(s, "signing", ROLE_JOURNAL, e);
		/* On a full disk there may be no folder for the key. Records must be written
		 * anyway, so the journal gets its own folder twice: it notices that and does not
		 * sign. */
		if (fds[n] < 0 && fds[n - 1] >= 0)
			fds[n] = fcntl(fds[n - 1], F_DUPFD_CLOEXEC, 3);
		n++;
		break;
	case ROLE_MGMT:
		/* Stays open over restarts, so that no client is refused in between. */
		if (s->mgmt_fd < 0)
			s->mgmt_fd = in_namespace(s, s->spaces.admin, open_listener, NULL, e);
		fds[n++] = s->mgmt_fd < 0 ? -1 : fcntl(s->mgmt_fd, F_DUPFD_CLOEXEC, 3);
		fds[n++] = open_folder(s, "secrets", ROLE_MGMT, e);
		fds[n++] = open_people(s, e);
		break;
	case ROLE_CONTROL:
		fds[n++] = open_folder(s, "control", ROLE_CONTROL, e);
		fds[n++] = fcntl(s->listen_fd, F_DUPFD_CLOEXEC, 3);
		fds[n++] = s->logins_fd >= 0 ? fcntl(s->logins_fd, F_DUPFD_CLOEXEC, 3)
					     : open("/dev/null", O_RDONLY | O_CLOEXEC);
		fds[n++] = open_alarms(s, e);
		fds[n++] = in_namespace(s, data, open_queue_table, NULL, e);
		break;
	case ROLE_ACCOUNTS:
		fds[n++] = open_folder(s, "accounts", ROLE_ACCOUNTS, e);
		break;
	case ROLE_SUPERVISOR:
	case ROLE_DPI:
	case ROLE_COMPILE:
	case ROLE_CLI:
	case ROLE_COUNT:
		break;
	}
	for (int i = 0; i < n; i++) {
		if (fds[i] >= 0)
			continue;
		for (int k = 0; k < n; k++)
			if (fds[k] >= 0)
				close(fds[k]);
		return -EIO;
	}
	return n;
}

struct queue_wish {
	uint32_t lane;
	uint8_t slots;
	struct queue_rule rule;
};

static int open_queue(void *ctx, struct err *e)
{
	const struct queue_wish *w = ctx;

	return queue_open(w->lane, w->slots, &w->rule, e);
}

int queue_socket(struct supervisor *s, uint32_t lane, uint8_t slots, struct err *e)
{
	struct queue_wish w = { .lane = lane, .slots = slots, .rule.maxlen = QUEUE_LENGTH };
	struct lane l;

	if (lane == LANE_CUT)
		w.rule.maxlen = QUEUE_LENGTH_CUT;
	else if (lane_of(lane, &l))
		w.rule = (struct queue_rule){ .maxlen = QUEUE_LENGTH,
					      .fail_open = l.when_overloaded != FAIL_CLOSED,
					      .finished = l.kind == LANE_COMMANDS };
	/*
	 * The queues of a daemon that has just died become free when its last role has ended. All
	 * roles end at the same time, and each takes a moment.
	 */
	for (unsigned waited = 0;; waited += TAKEN_STEP_MS) {
		int fd = in_namespace(s, s->spaces.data, open_queue, &w, e);

		if ((fd != -EPERM && fd != -EBUSY) || s->op.kind == OP_BOOT || waited >= TAKEN_MS)
			return fd;
		(void)poll(NULL, 0, TAKEN_STEP_MS);
	}
}

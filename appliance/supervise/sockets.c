/* SPDX-License-Identifier: Apache-2.0 */
/* Opens descriptors that need privileges or another namespace, and are then passed to a role. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/enforce/sockets.h"
#include "appliance/gate/reset.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/supervise/backstop.h"
#include "appliance/supervise/folders.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/pair.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/sockets.h"
#include "appliance/supervise/supervise.h"
#include "appliance/tap/tap.h"
#include "appliance/worker/queue.h"

#define QUEUE_LENGTH 4096u   /* packets that may wait in one slot */
#define QUEUE_LENGTH_CUT 64u /* packets of sessions that are cut in any case */
/* how long another process may hold a queue while a policy is applied */
#define TAKEN_MS 3000u
#define TAKEN_STEP_MS 5u
#define ADMIN_PORT 443u
#define QUEUE_TABLE "/proc/self/net/netfilter/nfnetlink_queue"

/* A duplicate of the descriptor; -1 = there is none. */
static int duplicate_of(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Opens a socket once, and returns a duplicate for the role. The socket stays open over restarts of
 * the role, so that nothing in between is lost or refused. */
static int stays_open(int *fd, int (*open_it)(struct err *e), struct err *e)
{
	if (*fd < 0)
		*fd = open_it(e);
	return duplicate_of(*fd);
}

static int open_queue_table(struct err *e)
{
	int fd = open(QUEUE_TABLE, O_RDONLY | O_CLOEXEC), r = 0;

	if (fd < 0 && errno == ENOENT) {
		r = queue_ready(e);
		fd = r < 0 ? r : open(QUEUE_TABLE, O_RDONLY | O_CLOEXEC);
	}
	return r < 0 ? r : fd < 0 ? err_set(e, -errno, "open the kernel's table of queues") : fd;
}

static int bound_socket(const void *address, socklen_t n, struct err *e)
{
	const int on = 1, off = 0;
	sa_family_t family = ((const struct sockaddr *)address)->sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), code;

	if (fd < 0)
		return err_set(e, -errno, "socket of the web side");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, address, n) == 0 && listen(fd, 64) == 0)
		return fd;
	code = -errno;
	close(fd);
	return err_set(e, code, "listen on port %u of the admin namespace", ADMIN_PORT);
}

/* One socket for IPv4 and IPv6, where the kernel has IPv6. */
static int open_listener(struct err *e)
{
	const struct sockaddr_in6 six = { .sin6_family = AF_INET6,
					  .sin6_port = htons(ADMIN_PORT),
					  .sin6_addr = IN6ADDR_ANY_INIT };
	const struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(ADMIN_PORT) };
	int fd = bound_socket(&six, sizeof(six), e);

	return fd < 0 ? bound_socket(&four, sizeof(four), e) : fd;
}

/* One page of shared memory for all gates of a pair. */
static int open_pulse(struct pair *p, struct err *e)
{
	if (p->pulse_fd < 0)
		p->pulse_fd = pulse_create(e);
	if (p->pulse_fd >= 0 && p->pulse == NULL)
		p->pulse = pulse_map(p->pulse_fd, e);
	return p->pulse != NULL ? duplicate_of(p->pulse_fd) : -1;
}

/* Shared memory that lasts as long as the daemon, for what each process of a role leaves to the
 * next one. It cannot grow. */
static int open_shared(int *fd, const char *name, size_t bytes, struct err *e)
{
	if (*fd < 0)
		*fd = shared_create(name, bytes, e);
	return duplicate_of(*fd);
}

static int open_counts(struct pair *p, struct err *e)
{
	int fd = open_shared(&p->kept_fd, "counts", sizeof(*p->kept), e);

	if (fd >= 0 && p->kept == NULL)
		p->kept = shared_map("counts", fd, sizeof(*p->kept), e);
	return fd;
}

/* Opens a folder of state that belongs to the user of one role alone. */
static int open_folder(struct supervisor *s, const char *name, enum role owner, struct err *e)
{
	uid_t uid = sandbox_uid(owner);
	struct stat st;
	int fd;

	if (mkdirat(s->ground.state_fd, name, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make the folder %s", name);
	fd = openat(s->ground.state_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, -errno, "open the folder %s", name);
	if (fstat(fd, &st) < 0 || ((st.st_uid != uid || (st.st_mode & 0700u) != 0700u) && !give_to(fd, uid, 0700))) {
		int code = -errno;

		close(fd);
		return err_set(e, code, "owner of the folder %s", name);
	}
	return fd;
}

/* The web side's channel to control. Control is told when the web side ends (relay.c). */
static int open_people(struct supervisor *s, struct err *e)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv) < 0)
		return err_set(e, -errno, "channel of the web side");
	if (s->sockets.web >= 0)
		close(s->sockets.web);
	s->sockets.web = sv[0];
	return sv[1];
}

/* A role whose descriptors are opened, as the context of in_namespace. */
struct opening {
	struct supervisor *s;
	const struct slot *sl;
	int *fds;
};

/* Opens a role's descriptors in the namespace in which it has sockets. Returns their number; one
 * that could not be opened is negative. */
static int open_all(void *ctx, struct err *e)
{
	const struct opening *o = ctx;
	struct supervisor *s = o->s;
	int n = 0, *fds = o->fds;

	switch (o->sl->role) {
	case ROLE_ENFORCE:
		fds[n++] = duplicate_of(s->sockets.rules);
		fds[n++] = enforce_socket_open(true, e);
		for (unsigned k = 0; s->workforce.once.leases != NULL && k < LANE_KINDS; k++)
			fds[n++] = duplicate_of(s->workforce.once.cache[k].program);
		break;
	case ROLE_GATE:
		fds[n++] = reset_socket_open(AF_INET, e);
		fds[n++] = reset_socket_open(AF_INET6, e);
		fds[n++] = open_queue_table(e);
		fds[n++] = session_probe_open(e);
		fds[n++] = open_pulse(&s->workforce.pairs[o->sl->index], e);
		break;
	case ROLE_TAP:
		fds[n++] = tap_open(e);
		fds[n++] = stays_open(&s->sockets.passed, tap_sessions_open, e);
		fds[n++] = stays_open(&s->sockets.neighbours, tap_neighbours_open, e);
		break;
	case ROLE_JOURNAL:
		fds[n++] = open_folder(s, "journal", ROLE_JOURNAL, e);
		fds[n] = open_folder(s, "signing", ROLE_JOURNAL, e);
		/* On a full disk there may be no folder for the key. Records must be written
		 * anyway, so the journal gets its own folder a second time instead. It notices
		 * that, and does not sign. */
		if (fds[n] < 0)
			fds[n] = duplicate_of(fds[n - 1]);
		n++;
		fds[n++] = duplicate_of(s->sockets.told_out);
		fds[n++] = open_shared(&s->sockets.names, "sekisho-names", JOURNAL_NAMES_BYTES, e);
		break;
	case ROLE_MGMT:
		fds[n++] = stays_open(&s->sockets.mgmt, open_listener, e);
		fds[n++] = open_folder(s, "secrets", ROLE_MGMT, e);
		fds[n++] = open_people(s, e);
		break;
	case ROLE_CONTROL:
		fds[n++] = open_folder(s, "control", ROLE_CONTROL, e);
		fds[n++] = duplicate_of(s->sockets.listen);
		fds[n++] = s->sockets.logins >= 0 ? duplicate_of(s->sockets.logins)
						  : open("/dev/null", O_RDONLY | O_CLOEXEC);
		fds[n++] = open_shared(&s->sockets.alarms, "sekisho-alarms", CONTROL_ALARMS_BYTES, e);
		fds[n++] = open_queue_table(e);
		break;
	case ROLE_ACCOUNTS:
		fds[n++] = open_folder(s, "accounts", ROLE_ACCOUNTS, e);
		break;
	case ROLE_DPI:
		fds[n++] = open_counts(&s->workforce.pairs[o->sl->index], e);
		break;
	case ROLE_SUPERVISOR:
	case ROLE_COMPILE:
	case ROLE_CLI:
	case ROLE_COUNT:
		break;
	}
	return n;
}

int role_descriptors(struct supervisor *s, const struct slot *sl, int fds[ROLE_FDS], int *nsfd, struct err *e)
{
	int n = in_namespace(&s->ground, sl->role == ROLE_MGMT ? s->ground.spaces.admin : s->ground.spaces.data,
			     open_all, &(struct opening){ s, sl, fds }, e);
	bool good = n >= 0 && (sl->role != ROLE_ENFORCE || fds[0] < 0 || backstop_follow(&s->ground, fds[0], e) == 0);

	*nsfd = sl->role == ROLE_ENFORCE || sl->role == ROLE_GATE ? s->ground.spaces.data : -1;
	for (int i = 0; i < n; i++)
		good = good && fds[i] >= 0;
	for (int i = 0; i < n && !good; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return good ? n : -EIO;
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
		int fd = in_namespace(&s->ground, s->ground.spaces.data, open_queue, &w, e);

		if ((fd != -EPERM && fd != -EBUSY) || s->op.kind == OP_BOOT || waited >= TAKEN_MS)
			return fd;
		(void)poll(NULL, 0, TAKEN_STEP_MS);
	}
}

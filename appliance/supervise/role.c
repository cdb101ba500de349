/* SPDX-License-Identifier: Apache-2.0 */
/* Start, loop and end of the supervisor. The start has an order by which nothing passes before the
 * rules are in force. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "appliance/box/loan.h"
#include "appliance/box/netns.h"
#include "appliance/box/rtnl.h"
#include "appliance/role/sandbox.h"
#include "appliance/supervise/backstop.h"
#include "appliance/supervise/counting.h"
#include "appliance/supervise/dispatch.h"
#include "appliance/supervise/folders.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/guard.h"
#include "appliance/supervise/kept.h"
#include "appliance/supervise/network.h"
#include "appliance/supervise/notify.h"
#include "appliance/supervise/once.h"
#include "appliance/supervise/operation.h"
#include "appliance/supervise/orders.h"
#include "appliance/supervise/papers.h"
#include "appliance/supervise/persons.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/relay.h"
#include "appliance/supervise/roles.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/ups.h"
#include "appliance/supervise/watch.h"
#include "appliance/supervise/workers.h"

#define END_LIMIT_NS 1500000000ull
#define DESCRIPTORS 8192u
#define OWN_NICE (-10)
#define STATE_MODE 0700
/* file in the run folder: which namespaces and state folder the daemon used */
#define NOTE "daemon"
/* ns until a save is tried again, because a full disk may have room by then */
#define SAVE_AGAIN 2000000000ull

/* ---- start ----------------------------------------------------------------------------------- */

/* Opens a folder, and makes it and the folders above it if necessary. */
static int open_folder(const char *path, mode_t mode, struct err *e)
{
	char part[256];
	int fd;

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return err_set(e, -ENAMETOOLONG, "folder %s", path);
	for (char *p = part + 1; *p != 0; p++)
		if (*p == '/') {
			*p = 0;
			if (mkdir(part, 0755) < 0 && errno != EEXIST)
				return err_set(e, -errno, "make the folder %s", part);
			*p = '/';
		}
	if (mkdir(part, mode) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make the folder %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(e, -errno, "open the folder %s", path) : fd;
}

/* Opens a folder for this process alone; `lock` is one of box/netns.h. A folder that another
 * process holds is left untouched. */
static int take_folder(struct ground *ground, const char *path, mode_t mode, int (*lock)(int fd, struct err *e),
		       int *ret, struct err *e)
{
	int fd = open_folder(path, mode, e), r = fd < 0 ? fd : lock(fd, e);

	if (r >= 0) {
		*ret = fd;
		return r;
	}
	if (r == -EBUSY)
		message_print(stderr, ground->o->lang, M_DAEMON_FOLDER_BUSY, path);
	if (fd >= 0)
		close(fd);
	return r;
}

static int take_folders(struct supervisor *s, struct err *e)
{
	int r = take_folder(&s->ground, s->ground.o->state, STATE_MODE, lock_folder, &s->ground.state_fd, e);
	enum narrow n = r == 0 ? narrow_folder(s->ground.state_fd, STATE_MODE) : NARROW_FITS;

	if (n != NARROW_FITS)
		supervisor_say(s, n == NARROW_DONE ? M_FOLDER_NARROWED : M_FOLDER_WIDER, s->ground.o->state);
	if (r == 0)
		r = take_folder(&s->ground, s->ground.o->run, 0755, lock_open_folder, &s->ground.run_fd, e);
	s->ground.run_lock = r;
	return r < 0 ? r : 0;
}

static int open_state(struct supervisor *s, struct err *e)
{
	bool damaged;
	int r;

	folders_tidy(s);
	r = permit_ids_load(s->ground.state_fd, &s->gens.ids, &damaged, e);
	if (r == 0 && damaged)
		supervisor_say(s, M_IDS_DAMAGED);
	if (r == 0)
		r = generation_store_open(s->ground.state_fd, &s->gens.store, e);
	if (r == 0 && s->gens.store.damaged) {
		supervisor_say(s, M_HISTORY_DAMAGED);
		sentence_say(&s->gens.loading.store_error, M_HISTORY_DAMAGED);
	}
	if (r == 0 && s->gens.store.lost) {
		supervisor_say(s, M_STORE_LOST);
		sentence_say(&s->gens.loading.store_error, M_STORE_LOST);
	}
	if (r == 0 && s->gens.store.unsaved)
		supervisor_say(s, M_STORE_UNSAVED);
	if (r == 0)
		r = kept_open(s, e);
	return r;
}

/*
 * The workers' first table: the permits of the generation in force, and those of the generation
 * before that may still linger. The permits of both keep their ids, so lingering sessions continue
 * over a restart.
 */
static bool boot_table(struct supervisor *s, struct table *ret)
{
	uint64_t number = generation_previous(&s->gens.store);
	struct policy *before = number != 0 ? policy_stored(s, number, NULL) : NULL;
	bool made = policy_table(s->gens.now, before, policy_part(before != NULL ? before : s->gens.now), ret);

	if (before != NULL)
		journal_generation(s, before);
	journal_generation(s, s->gens.now);
	policy_free(before);
	return made;
}

/* Loads the last confirmed generation, or the empty one. */
static int load_confirmed(struct supervisor *s, struct err *e)
{
	struct table table;

	s->gens.now = policy_stored(s, s->gens.store.confirmed, e);
	if (s->gens.now == NULL) {
		/* If the policy cannot be read, the empty one is loaded, and nothing passes. */
		if (e->code == -ENOTSUP) {
			supervisor_say(s, M_STORE_FORM, (unsigned long long)s->gens.store.confirmed);
			sentence_say(&s->gens.loading.store_error, M_STORE_FORM,
				     (unsigned long long)s->gens.store.confirmed);
		} else {
			supervisor_say(s, M_STORE_DAMAGED, e->text);
			sentence_say(&s->gens.loading.store_error, M_STORE_DAMAGED, e->text);
		}
		s->gens.now = policy_empty(s, e);
	}
	if (s->gens.now == NULL)
		return e->code;
	if (!boot_table(s, &table))
		return err_set(e, -ENOMEM, "command table");
	/* The lanes of lingering sessions get queues as well. Otherwise a lane with `hold` would
	 * let these sessions pass without a worker, although their table forbids it. */
	s->workforce.lanes = table_lanes(table.image, table.n);
	return table_set(s, &table, NULL, e);
}

/*
 * With sched_autogroup the kernel first divides processors between sessions, and priorities count
 * only within one session. So enforce would wait behind every other busy session. Gives this
 * session the priority too, if it has no other process.
 */
static void prefer_session(void)
{
	int fd = getsid(0) == getpid() ? open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	(void)dprintf(fd, "%d", OWN_NICE);
	close(fd);
}

static int (*const parts_open[])(struct supervisor *, struct err *) = { network_open, notify_open,  watch_open,
									orders_open,  persons_open, listen_open };

static int open_own(struct supervisor *s, struct err *e)
{
	/* Each generation that waits there is in memory. */
	const int told_room = 32768;
	struct rlimit limit;
	sigset_t set;
	int sv[2], r = event_pair(sv, e);

	if (r < 0)
		return r;
	s->ground.events_out = sv[0];
	s->ground.events.fd = sv[1];
	if (event_pair(sv, e) < 0)
		return e->code;
	s->sockets.told_out = sv[0];
	s->sockets.told_in = sv[1];
	setsockopt(s->sockets.told_in, SOL_SOCKET, SO_SNDBUF, &told_room, sizeof(told_room));
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS) {
		limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	/* Roles must be replaced at once, even on a busy machine. Each role sets its own priority
	 * afterwards. */
	setpriority(PRIO_PROCESS, 0, OWN_NICE);
	prefer_session();
	partition_open(&s->workforce.partition);
	if (s->workforce.partition.state == PARTITION_FAILED)
		supervisor_say(s, M_PARTITION_FAILED, s->workforce.partition.failed.text);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->ground.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->ground.trial_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->ground.signal_fd < 0 || s->ground.trial_fd < 0)
		return err_set(e, -errno, "signals and timers");
	s->link_fd = rtnl_monitor_open(s->ground.spaces.home, s->ground.spaces.home, false, e);
	if (s->link_fd < 0)
		return s->link_fd;
	for (size_t i = 0; r == 0 && i < sizeof(parts_open) / sizeof(parts_open[0]); i++)
		r = parts_open[i](s, e);
	return r;
}

/* Notes which namespaces and state folder this daemon uses, for questions when no daemon runs. */
static void standing_note(const struct ground *ground)
{
	int fd = openat(ground->run_fd, NOTE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return; /* without the file, the default names are used */
	(void)dprintf(fd, "%s\n%s\n%s\n", ground->o->data_netns, ground->o->admin_netns, ground->o->state);
	close(fd);
}

static int start_all(struct supervisor *s, struct err *e)
{
	struct err folders = { 0 };
	bool adopted = false;
	int taken = take_folders(s, &folders), r;

	/* If another daemon holds the folders, this one ends without doing anything. After any
	 * other failure the box still gets its deny base. */
	if (taken == -EBUSY) {
		*e = folders;
		return taken;
	}
	r = guard_enter(s, &adopted, e);
	if (r == 0 && taken < 0) {
		*e = folders;
		r = taken;
	}
	if (r == 0)
		r = open_state(s, e);
	if (r == 0)
		r = open_own(s, e);
	if (r == 0)
		r = load_confirmed(s, e);
	if (r < 0)
		return r;
	kept_guard(s);
	standing_note(&s->ground);
	role_event(s, ROLE_SUPERVISOR, 0, adopted ? ROLE_TOOK_OVER : ROLE_STARTED);
	loan_boot_id(s->ground.boot);
	for (unsigned i = 0; i < PAPERS; i++)
		paper_open(s, (enum paper)i);
	if (s->gens.store.gave_up != 0)
		policy_event(s, POLICY_REVERTED, s->gens.now->number, NULL);
	once_open(s);
	roles_want(s, SLOT_JOURNAL);
	roles_want(s, SLOT_ENFORCE);
	op_boot(s);
	(void)roles_due(s, mono_ns()); /* the workers that the policy needs */
	roles_want(s, SLOT_TAP);
	roles_want(s, SLOT_ACCOUNTS);
	roles_want(s, SLOT_CONTROL);
	roles_want(s, SLOT_MGMT);
	return sandbox_supervisor((const int[]){ s->ground.state_fd, s->ground.run_fd }, 2, e);
}

/* ---- saves that found the disk full ---------------------------------------------------------- */

static uint64_t unsaved_due(struct supervisor *s, uint64_t now)
{
	struct err e;

	if (s->op.kind != OP_NONE || !is_unsaved(s))
		return UINT64_MAX;
	if (now < s->save_again)
		return s->save_again;
	s->save_again = now + SAVE_AGAIN;
	(void)generation_save(&s->gens.store, &e);
	(void)permit_ids_save(s->ground.state_fd, &s->gens.ids, &e);
	kept_save_again(s);
	return s->save_again;
}

/* ---- loop ------------------------------------------------------------------------------------ */

enum {
	POLL_SIGNAL,
	POLL_TRIAL,
	POLL_LINK,
	POLL_RULES,
	POLL_NETWORK,
	POLL_ROLE_PID = POLL_NETWORK + NETWORKS,
	POLL_ROLE = POLL_ROLE_PID + SLOTS,
	POLL_PERSONS = POLL_ROLE + SLOTS,
	POLL_COUNT = POLL_PERSONS + PERSONS_POLL
};

/* What each part does by the clock. Returns when it wants to be asked again, in monotonic ns;
 * UINT64_MAX = not before something happens. */
static uint64_t (*const parts_due[])(struct supervisor *, uint64_t now) = {
	backstop_due, roles_due,    op_due,  network_due, watch_due,  unsaved_due,
	papers_due,   counting_due, ups_due, notify_due,  orders_due, persons_due,
};

/* Does what is due. Returns the milliseconds until more is. */
static int do_due(struct supervisor *s)
{
	uint64_t now = mono_ns(), due = UINT64_MAX, other;

	/* All parts are asked twice, because what one part does may give an earlier one something
	 * to do. */
	for (unsigned pass = 0; pass < 2; pass++) {
		due = UINT64_MAX;
		for (size_t i = 0; i < sizeof(parts_due) / sizeof(parts_due[0]); i++) {
			other = parts_due[i](s, now);
			due = other < due ? other : due;
		}
	}
	now = mono_ns();
	if (due <= now)
		return 0;
	due = (due - now + 999999u) / 1000000u;
	return due > 60000u ? 60000 : (int)due;
}

static void supervisor_turn(struct supervisor *s)
{
	struct pollfd p[POLL_COUNT];
	struct signalfd_siginfo sig;
	uint64_t ticks;
	int wait = do_due(s);

	relay_tell(s);
	for (unsigned i = 0; i < POLL_COUNT; i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	p[POLL_SIGNAL].fd = s->ground.signal_fd;
	p[POLL_TRIAL].fd = s->ground.trial_fd;
	p[POLL_LINK].fd = s->link_fd;
	p[POLL_RULES].fd = s->ground.backstop.monitor;
	for (unsigned i = 0; i < NETWORKS; i++)
		p[POLL_NETWORK + i].fd = s->network_fd[i];
	for (unsigned i = 0; i < SLOTS; i++) {
		p[POLL_ROLE_PID + i].fd = s->slots[i].pidfd;
		p[POLL_ROLE + i].fd = s->slots[i].chan;
	}
	persons_poll(s, &p[POLL_PERSONS]);
	if (poll(p, POLL_COUNT, wait) < 0)
		return;
	if (p[POLL_SIGNAL].revents != 0 && read(s->ground.signal_fd, &sig, sizeof(sig)) == sizeof(sig) &&
	    sig.ssi_signo != SIGHUP)
		s->ground.ending = true;
	backstop_heard(&s->ground);
	/* The last message of a role is read before its death is handled. */
	for (unsigned i = 0; i < SLOTS; i++)
		if (p[POLL_ROLE + i].revents != 0 && s->slots[i].chan == p[POLL_ROLE + i].fd)
			role_readable(s, &s->slots[i]);
	for (unsigned i = 0; i < SLOTS; i++)
		if (p[POLL_ROLE_PID + i].revents != 0 && s->slots[i].pidfd == p[POLL_ROLE_PID + i].fd)
			role_exited(s, &s->slots[i]);
	persons_heard(s, &p[POLL_PERSONS]);
	if (p[POLL_TRIAL].revents != 0 && read(s->ground.trial_fd, &ticks, sizeof(ticks)) == sizeof(ticks))
		op_trial_over(s);
	if (p[POLL_LINK].revents != 0)
		op_links(s);
	for (unsigned i = 0; i < NETWORKS; i++)
		if (p[POLL_NETWORK + i].revents != 0)
			network_heard(s, s->network_fd[i]);
}

/* ---- end ------------------------------------------------------------------------------------- */

static bool any_alive(const struct supervisor *s)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (s->slots[i].pidfd >= 0)
			return true;
	return false;
}

/*
 * Ends all roles; the rules stay. Workers, enforce and the journal end when their channel closes,
 * so that their counts are still reported and written. The journal ends when no role can send any
 * more. A role that has not ended at the deadline is killed.
 */
static void end_all(struct supervisor *s)
{
	uint64_t until = mono_ns() + END_LIMIT_NS;

	s->ground.ending = true;
	/* The last roles first: workers report what they accepted since their last record, and
	 * enforce reports the sessions since its last look. */
	for (unsigned i = SLOTS; i > 0; i--)
		if (i - 1 != SLOT_JOURNAL && s->slots[i - 1].chan >= 0) {
			if (s->slots[i - 1].role == ROLE_DPI)
				shutdown(s->slots[i - 1].chan, SHUT_RDWR);
			else if (i - 1 == SLOT_ENFORCE)
				shutdown(s->slots[i - 1].chan, SHUT_WR);
			else
				role_kill(s, &s->slots[i - 1]);
		}
	/* The journal reads until all writers have closed their sockets. */
	for (unsigned i = 0; i < SLOTS; i++)
		if (s->slots[i].event_in >= 0) {
			close(s->slots[i].event_in);
			s->slots[i].event_in = -1;
		}
	if (s->slots[SLOT_JOURNAL].chan >= 0)
		shutdown(s->slots[SLOT_JOURNAL].chan, SHUT_RDWR);
	while (any_alive(s) && mono_ns() < until) {
		struct pollfd p[SLOTS];

		for (unsigned i = 0; i < SLOTS; i++)
			p[i] = (struct pollfd){ .fd = s->slots[i].pidfd, .events = POLLIN };
		if (poll(p, SLOTS, 100) < 0)
			continue;
		for (unsigned i = 0; i < SLOTS; i++)
			if (p[i].revents != 0) {
				if (i == SLOT_ENFORCE)
					role_readable(s, &s->slots[i]);
				role_exited(s, &s->slots[i]);
			}
	}
	for (unsigned i = 0; i < SLOTS; i++)
		role_kill(s, &s->slots[i]);
	(void)papers_due(s, UINT64_MAX);
	listen_end(s);
}

int supervise(const struct supervise_options *o)
{
	static struct supervisor s; /* static, because it is large */
	struct err e = { 0 };
	int r;

	s = (struct supervisor){
		.ground = { .o = o,
			    .spaces = { -1, -1, -1 },
			    .scratch = { -1, -1, -1 },
			    .state_fd = -1,
			    .run_fd = -1,
			    .run_lock = -1,
			    .data_lock = -1,
			    .signal_fd = -1,
			    .trial_fd = -1,
			    .backstop = { .monitor = -1, .forwarding = { -1, -1 } },
			    .events = { .fd = -1 },
			    .events_out = -1 },
		.sockets = { .listen = -1,
			     .logins = -1,
			     .orders = { -1, -1 },
			     .mgmt = -1,
			     .web = -1,
			     .rules = -1,
			     .passed = -1,
			     .alarms = -1,
			     .names = -1,
			     .told_in = -1,
			     .told_out = -1,
			     .neighbours = -1,
			     .pairs = -1 },
		.workforce = { .partition = { .guard = -1, .parsers = -1, .score = -1 },
			       .cores = sandbox_cores(),
			       .table_fd = -1 },
		/* until enforce has looked */
		.reported = { .clock = { .wait = CLOCK_WAITS_DAEMON } },
		.link_fd = -1,
		.network_fd = { -1, -1, -1, -1 },
		.op = { .bundle = -1 },
		.queued = { .bundle = -1 },
		.gens.store.dirfd = -1,
	};
	roles_init(&s);
	r = start_all(&s, &e);
	if (r < 0) {
		if (r != -EBUSY || e.text[0] == 0)
			message_print(stderr, o->lang, M_DAEMON_FAILED, e.text);
		end_all(&s);
		return 3;
	}
	while (!s.ground.ending)
		supervisor_turn(&s);
	notify_ending(&s);
	leave_say(&s);
	end_all(&s);
	return 0;
}

/*
 * What the end of the daemon leaves behind: the state of each interface, and what decides about
 * packets from then on. It is reported before the roles end. After an unplanned end the next start,
 * or `sekisho status`, reports it.
 */

static void say_stays(void *ctx, const struct ir_interface *i, const struct device *d, const struct device *card,
		      const char *addresses)
{
	const struct supervisor *s = ctx;
	const char *space = i->admin ? s->ground.o->admin_netns : s->ground.o->data_netns;

	if (d == NULL)
		supervisor_say(s, M_LEAVE_ABSENT, i->name, i->device);
	else
		supervisor_say(s, d->up ? M_LEAVE_UP : M_LEAVE_DOWN, i->name, i->device, space);
}

void leave_say(const struct supervisor *s)
{
	if (s->gens.now->number == 0) {
		supervisor_say(s, M_LEAVE_NO_POLICY, s->ground.o->data_netns);
		return;
	}
	supervisor_say(s, M_LEAVE_RULES, (unsigned long long)s->gens.now->number);
	(void)box_interfaces(&s->ground.spaces, s->gens.now->ir, say_stays, (void *)(uintptr_t)s, NULL);
}

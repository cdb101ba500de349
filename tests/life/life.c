/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/life/life.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "appliance/alone/alone.h"
#include "appliance/base/memfd.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/supervise.h"
#include "tests/life/control.h"
#include "tests/life/disk.h"
#include "tests/life/machine.h"

#define STACK (4u << 20)
#define TURNS_MOST 20000u

struct life life;

static struct daemon {
	bool runs, inside;
	ucontext_t here, test;
	void *stack;
	/* descriptors with this number or a higher one belong to the daemon and its roles */
	int first_fd;
	uint64_t due;	/* the time at which it wants to go on at the latest */
	unsigned turns; /* turns since the test had its last turn */
	int timer;	/* the timer of its trial; -1 = none */
	uint64_t rings;
	char state[80], run[80];
	struct supervise_options options;
} daemon_;

bool life_runs(void)
{
	return daemon_.runs;
}

bool life_inside(void)
{
	return daemon_.inside;
}

/* ---- between the daemon and the test --------------------------------------------------------- */

static void body(void)
{
	life.status = supervise(&daemon_.options);
	life.end = LIFE_ENDED;
	daemon_.inside = false;
	swapcontext(&daemon_.here, &daemon_.test);
}

static enum life_end go_on(void)
{
	if (life.end != LIFE_GOES_ON || !daemon_.runs)
		return life.end;
	daemon_.inside = true;
	swapcontext(&daemon_.test, &daemon_.here);
	return life.end;
}

static void to_test(void)
{
	daemon_.inside = false;
	swapcontext(&daemon_.here, &daemon_.test);
	daemon_.inside = true;
}

void life_quiet(uint64_t due)
{
	daemon_.due = due;
	to_test();
}

/* Waits until a time, and reads nothing meanwhile. */
void life_step(uint64_t due)
{
	machine.wall_ns += due - machine.mono_ns;
	machine.mono_ns = due;
}

static void ends_there(enum life_end how)
{
	life.end = how;
	to_test();
	abort(); /* nobody comes back here */
}

void life_moment(void)
{
	if (++life.moments == life.killed_at && life_inside())
		ends_there(LIFE_KILLED);
}

void life_turn(void)
{
	life_moment();
	LIFE(++daemon_.turns < TURNS_MOST); /* otherwise it would never become quiet again */
}

void life_power_lost(void)
{
	ends_there(LIFE_POWER_LOST);
}

/* ---- time ------------------------------------------------------------------------------------ */

void life_timer(int fd, uint64_t at)
{
	daemon_.timer = fd;
	daemon_.rings = at;
}

static void clock_to(uint64_t ns)
{
	const uint64_t one = 1;

	if (ns > machine.mono_ns)
		life_step(ns);
	if (daemon_.timer < 0 || machine.mono_ns < daemon_.rings)
		return;
	daemon_.rings = UINT64_MAX;
	(void)!write(daemon_.timer, &one, sizeof(one));
}

enum life_end life_settle(void)
{
	daemon_.turns = 0;
	return go_on();
}

enum life_end life_pass(uint64_t ns)
{
	uint64_t until = machine.mono_ns + ns;

	while (life.end == LIFE_GOES_ON && machine.mono_ns < until) {
		uint64_t next = daemon_.due < daemon_.rings ? daemon_.due : daemon_.rings;

		if (next < machine.mono_ns + life.granule)
			next = machine.mono_ns + life.granule;
		clock_to(next < until ? next : until);
		life_settle();
	}
	return life.end;
}

/* ---- beginnings and ends --------------------------------------------------------------------- */

static void remove_all(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *x;

	while (d != NULL && (x = readdir(d)) != NULL)
		if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0 && unlinkat(fd, x->d_name, 0) < 0)
			remove_all(fd, x->d_name);
	if (d != NULL)
		closedir(d);
	(void)unlinkat(dirfd, name, AT_REMOVEDIR);
}

void life_begin(void)
{
	const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	control_places();
	life = (struct life){ .seed = life.seed };
	disk = (struct disk){ .moments = 0 };
	machine_new();
	processes_new();
	snprintf(life.folder, sizeof(life.folder), "%s/sekisho-life-XXXXXX", where);
	LIFE(mkdtemp(life.folder) != NULL);
	snprintf(daemon_.state, sizeof(daemon_.state), "%s/state", life.folder);
	snprintf(daemon_.run, sizeof(daemon_.run), "%s/run", life.folder);
	daemon_.options = (struct supervise_options){ .data_netns = "data",
						      .admin_netns = "admin",
						      .state = daemon_.state,
						      .run = daemon_.run,
						      .lang = LANG_EN,
						      .workers = 1 };
}

/*
 * The process has ended, wherever it was. Its memory stays behind, because each life has a process
 * of its own.
 */
static void no_more(void)
{
	if (!daemon_.runs)
		return;
	/* the kernel goes on, unless the power is off, and keeps what it was given */
	life.killed_at = 0;
	disk_power_lost(true);
	processes_end();
	(void)close_range((unsigned)daemon_.first_fd, ~0u, 0);
	(void)munmap(daemon_.stack, STACK);
	daemon_.runs = false;
	life.end = LIFE_ENDED;
}

void life_over(void)
{
	life_kill();
	remove_all(AT_FDCWD, life.folder);
}

bool life_lived(void (*life_of)(void))
{
	pid_t pid = fork();
	int how;

	if (pid == 0) {
		life_begin();
		life_of();
		life_over();
		_exit(0);
	}
	return waitpid(pid, &how, 0) == pid && WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

enum life_end life_boot(void)
{
	sigset_t ends;

	no_more();
	/*
	 * A context has its own signal mask: the daemon reads the signals that the test sends.
	 */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	life.end = LIFE_GOES_ON;
	daemon_.first_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	daemon_.timer = -1;
	daemon_.rings = daemon_.due = UINT64_MAX;
	daemon_.stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	LIFE(daemon_.stack != MAP_FAILED && getcontext(&daemon_.here) == 0);
	daemon_.here.uc_stack.ss_sp = daemon_.stack;
	daemon_.here.uc_stack.ss_size = STACK;
	daemon_.here.uc_link = NULL;
	makecontext(&daemon_.here, body, 0);
	daemon_.runs = true;
	return life_settle();
}

enum life_end life_stop(void)
{
	if (life.end != LIFE_GOES_ON)
		return life.end;
	raise(SIGTERM); /* which the daemon has blocked, and reads */
	while (life.end == LIFE_GOES_ON) {
		clock_to(daemon_.due == UINT64_MAX ? machine.mono_ns : daemon_.due);
		go_on();
	}
	return life.end;
}

void life_kill(void)
{
	no_more();
}

void life_off(bool renamed)
{
	disk_power_lost(renamed);
	no_more();
	remove_all(AT_FDCWD, daemon_.run);
	machine_off();
}

/* ---- orders ---------------------------------------------------------------------------------- */

const struct answer *life_asks(enum way way, const struct msg_body *question, int fd)
{
	uint32_t number = person_asks(way, question, fd);

	if (fd >= 0)
		close(fd);
	life_settle();
	return number != 0 ? &processes.answers[number] : NULL;
}

static const struct answer *ordered(const struct msg_body *order, int fd)
{
	return life_asks(AS_ROOT, order, fd);
}

const struct answer *life_apply(enum known_policy p, uint32_t confirm_s, uint8_t flags)
{
	const struct msg_body m = {
		MSG_CTL_CHANGE,
		.ctl_change = { .order = CHANGE_APPLY, .flags = flags, .confirm_s = confirm_s, .comment = "a change" }
	};

	return ordered(&m, policy_bundle(p));
}

const struct answer *life_confirm(uint64_t to)
{
	return ordered(&(struct msg_body){ MSG_CTL_CHANGE,
					   .ctl_change = { .order = CHANGE_CONFIRM, .to = to, .comment = "" } },
		       -1);
}

const struct answer *life_rollback(uint64_t to)
{
	return ordered(&(struct msg_body){ MSG_CTL_CHANGE,
					   .ctl_change = { .order = CHANGE_ROLLBACK, .to = to, .comment = "" } },
		       -1);
}

const struct answer *life_release(const char *device)
{
	return ordered(&(struct msg_body){ MSG_CTL_RELEASE, .ctl_release = { .device = device } }, -1);
}

const struct answer *life_isolate(uint8_t order, const char *what)
{
	struct msg_body m = { MSG_CTL_CHANGE, .ctl_change = { .order = order, .comment = "" } };

	(void)snprintf((char *)m.ctl_change.object, sizeof(m.ctl_change.object), "%s", what);
	return ordered(&m, -1);
}

const struct answer *life_door(uint8_t order, uint32_t for_s)
{
	struct msg_body m = { MSG_CTL_CHANGE, .ctl_change = { .order = order, .confirm_s = for_s, .comment = "" } };

	(void)snprintf((char *)m.ctl_change.object, sizeof(m.ctl_change.object), "gate");
	return ordered(&m, -1);
}

uint64_t life_says(const struct answer *a, const char *key)
{
	char what[40];
	const char *at;

	(void)snprintf(what, sizeof(what), "\"%s\":", key);
	at = a != NULL && a->told && a->whole != NULL ? strstr(a->whole, what) : NULL;
	return at != NULL ? strtoull(at + strlen(what), NULL, 10) : 0;
}

/* An order about the draft as its author has seen it, and about the policy in force. */
static const struct answer *change(enum change_order order, uint32_t confirm_s, uint64_t to, int fd)
{
	const struct msg_body look = { .type = MSG_DRAFT };
	struct msg_body m = { MSG_CHANGE, .change = { .order = (uint8_t)order,
						      .family = 4,
						      .secret = { 1 },
						      .base = processes.standing.number,
						      .to = to,
						      .confirm_s = confirm_s,
						      .comment = processes.comment != NULL ? processes.comment : "" } };

	m.change.revision = life_says(life_asks(OVER_WEB, &look, -1), "revision");
	return life_asks(OVER_WEB, &m, fd);
}

const struct answer *life_change(enum change_order order, uint32_t confirm_s, uint64_t to)
{
	bool texts = order == CHANGE_CHECK || order == CHANGE_SAVE;

	return change(order, confirm_s, to, texts ? policy_bundle(processes.draft) : -1);
}

/* ---- without a daemon ------------------------------------------------------------------------ */

static int quietly(int (*asks)(const char *what), const char *what)
{
	int out = dup(STDOUT_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC), status;

	fflush(stdout);
	LIFE(out >= 0 && nowhere >= 0 && (getenv("LOUD") != NULL || dup2(nowhere, STDOUT_FILENO) >= 0));
	status = asks(what);
	fflush(stdout);
	(void)dup2(out, STDOUT_FILENO);
	close(out);
	close(nowhere);
	return status;
}

static int standing(const char *question)
{
	return supervise_standing(&daemon_.options, question);
}

static int releases(const char *device)
{
	return release_alone(&daemon_.options, device, false);
}

int life_standing(const char *question)
{
	return quietly(standing, question);
}

int life_release_alone(const char *device)
{
	return quietly(releases, device);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/role/vigil.c appliance/base/bytes.c appliance/base/err.c appliance/base/clock.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/role/vigil.h"

#define MS 1000000u
#define LIMIT (50u * MS)
#define LOOK (5u * MS)
#define GAP (20u * MS)

static void nap(uint64_t ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = (long)ns }, NULL);
}

static void spins(void)
{
	for (volatile int busy = 1; busy;)
		;
}

static void sleeps(void)
{
	for (;;)
		pause();
}

static void onto_core(int core)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)core, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static pid_t child(void (*does)(void), int policy)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sched_setscheduler(0, policy, &(const struct sched_param){ 0 });
		does();
		_exit(0);
	}
	return pid;
}

static void end(pid_t pid, int stat)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(stat);
}

/* Looks every 5 ms for at most `ms`; the milliseconds until it counts as hung, 0 = never. */
static uint64_t until_hung(struct vigil *v, unsigned ms)
{
	struct mono start = clock_mono(), last = start, now = start;

	while (now.ns - start.ns < (uint64_t)ms * MS) {
		nap(LOOK);
		now = clock_mono();
		if (vigil_hung(v, now.ns - last.ns, GAP, LIMIT))
			return (now.ns - start.ns) / MS;
		last = now;
	}
	return 0;
}

/* Whether the machine is asked what the core did changes nothing where the core works. */
static void watched(void (*does)(void), int signal_first)
{
	int cores[] = { -1, open("/proc/stat", O_RDONLY | O_CLOEXEC) };

	assert_true(cores[1] >= 0);
	for (size_t k = 0; k < 2; k++) {
		pid_t pid = child(does, SCHED_OTHER);
		int stat = vigil_open(pid, NULL);
		struct vigil v;

		assert_true(stat >= 0);
		if (signal_first != 0)
			kill(pid, signal_first);
		vigil_begin(&v, pid, stat, cores[k]);
		assert_true(until_hung(&v, 5000) >= 45);
		end(pid, stat);
	}
	close(cores[1]);
}

static void hung_when_it_spins(void **state)
{
	(void)state;
	watched(spins, 0);
}

static void hung_when_it_sleeps(void **state)
{
	(void)state;
	watched(sleeps, 0);
}

static void hung_when_it_is_stopped(void **state)
{
	(void)state;
	watched(spins, SIGSTOP);
}

static void not_hung_when_it_beats(void **state)
{
	pid_t pid = child(spins, SCHED_OTHER);
	int stat = vigil_open(pid, NULL);
	struct vigil v;

	(void)state;
	vigil_begin(&v, pid, stat, -1);
	for (int i = 0; i < 60; i++) {
		nap(LOOK);
		assert_false(vigil_hung(&v, LOOK, GAP, LIMIT));
		vigil_beat(&v);
	}
	end(pid, stat);
}

/* One core, a busy process, and beside it one that gets only what is left over: it waits, it is not hung. */
static void not_hung_without_a_core(void **state)
{
	cpu_set_t before;
	pid_t busy, poor;
	struct vigil v;
	int stat;

	(void)state;
	sched_getaffinity(0, sizeof(before), &before);
	onto_core(CPU_COUNT(&before) > 0 ? __builtin_ctzl(before.__bits[0] != 0 ? before.__bits[0] : 1) : 0);
	busy = child(spins, SCHED_OTHER);
	poor = child(spins, SCHED_IDLE);
	sched_setaffinity(0, sizeof(before), &before);
	stat = vigil_open(poor, NULL);
	vigil_begin(&v, poor, stat, -1);
	/* In 500 ms it has the core for some milliseconds. */
	assert_int_equal(until_hung(&v, 500), 0);
	assert_true(v.starved_ns > 100 * MS);
	end(poor, stat);
	kill(busy, SIGKILL);
	waitpid(busy, NULL, 0);
}

/* Who does something long may take as long as it likes; who sleeps or is stopped meanwhile does nothing. */
static void still_when_it_does_nothing(void **state)
{
	static const struct {
		void (*does)(void);
		int signal;
		bool still;
	} cases[] = { { spins, 0, false }, { sleeps, 0, true }, { spins, SIGSTOP, true } };

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		pid_t pid = child(cases[k].does, SCHED_OTHER);
		int stat = vigil_open(pid, NULL);
		struct vigil v;
		bool still = false;

		nap(LOOK);
		if (cases[k].signal != 0)
			kill(pid, cases[k].signal);
		vigil_begin(&v, pid, stat, -1);
		for (int i = 0; i < 40; i++) {
			nap(LOOK);
			still |= vigil_still(&v, LOOK, GAP, LIMIT);
		}
		assert_int_equal(still, cases[k].still);
		end(pid, stat);
	}
}

/* Where another machine had the core, the kernel may count that time as the process's own: one long look is little evidence. */
static void a_long_look_counts_little(void **state)
{
	pid_t pid = child(spins, SCHED_OTHER);
	int stat = vigil_open(pid, NULL);
	struct timespec had = { 0 };
	struct vigil v;
	clockid_t clock;

	(void)state;
	vigil_begin(&v, pid, stat, -1);
	assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
	while (had.tv_sec == 0 && (uint64_t)had.tv_nsec < 2 * LIMIT) {
		nap(LOOK);
		clock_gettime(clock, &had);
	}
	assert_false(vigil_hung(&v, 2 * LIMIT, GAP, LIMIT));
	assert_true(until_hung(&v, 5000) > 0);
	end(pid, stat);
}

/* This process runs on core 1, and what that core did is scripted in ticks of 10 ms. */
struct scripted {
	int stat, cores;
	struct vigil v;
};

static void write_at_start(int fd, const char *text)
{
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
}

static void on_core(const struct scripted *s, unsigned core)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "1 (it) R 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 13 0 24 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 17 %u 0 0\n",
		 core);
	write_at_start(s->stat, text);
}

static void worked(const struct scripted *s, unsigned ticks)
{
	char text[200];

	/* At rest, and stolen: neither is work. */
	snprintf(text, sizeof(text),
		 "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 7 7 7 7 7 7 7 7 0 0\ncpu1 1000 0 %5u 50%u 6%u 1 1 70%u 0 0\nintr 1\n",
		 ticks, ticks, ticks, ticks);
	write_at_start(s->cores, text);
}

static struct scripted scripted(void)
{
	struct scripted s = { .stat = memfd_create("stat", MFD_CLOEXEC), .cores = memfd_create("cores", MFD_CLOEXEC) };

	assert_true(s.stat >= 0 && s.cores >= 0);
	on_core(&s, 1);
	worked(&s, 0);
	vigil_begin(&s.v, getpid(), s.stat, s.cores);
	return s;
}

static void close_scripted(const struct scripted *s)
{
	close(s->stat);
	close(s->cores);
}

/* The kernel says that this process ran for 20 ms; then it is looked at. */
static bool hung_after_20_ms(struct scripted *s)
{
	struct timespec t;
	uint64_t end;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	end = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec + 20 * MS;
	do {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	} while ((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec < end);
	return vigil_hung(&s->v, GAP, GAP, LIMIT);
}

/* Another machine has its core: the kernel goes on counting processor time, but the core does nothing. */
static void not_hung_on_a_core_that_stands_still(void **state)
{
	struct scripted s = scripted();

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_false(hung_after_20_ms(&s));
	/* It has it again, and is hung all the same. */
	worked(&s, 1);
	assert_false(hung_after_20_ms(&s));
	worked(&s, 2);
	assert_true(hung_after_20_ms(&s));
	close_scripted(&s);
}

/* What the machine says of a core lags behind: nobody is found later for it. */
static void as_hung_on_a_core_that_works(void **state)
{
	struct scripted s = scripted();

	(void)state;
	assert_false(hung_after_20_ms(&s));
	worked(&s, 1);
	assert_false(hung_after_20_ms(&s));
	worked(&s, 2);
	assert_true(hung_after_20_ms(&s));
	close_scripted(&s);
}

/* Who moves from core to core, or is on one that the machine does not tell of, is judged by what it had itself. */
static void cores_that_tell_nothing(void **state)
{
	struct scripted s = scripted();

	(void)state;
	assert_false(hung_after_20_ms(&s));
	on_core(&s, 0);
	assert_false(hung_after_20_ms(&s));
	on_core(&s, 1);
	assert_true(hung_after_20_ms(&s));
	vigil_beat(&s.v);
	on_core(&s, 7);
	assert_false(hung_after_20_ms(&s));
	assert_false(hung_after_20_ms(&s));
	assert_true(hung_after_20_ms(&s));
	close_scripted(&s);
}

static bool worked_of(const char *text, int core, uint64_t *ns)
{
	return vigil_worked(bytes_of(text, strlen(text)), core, ns);
}

static void what_a_core_did(void **state)
{
	const char *two = "cpu  1 1 1 1 1 1 1\ncpu1 1 20 300 9 9 4000 50000 9 0 0\ncpu10 2 0 0 0 0 0 0\nintr 5\n";
	uint64_t ns = 0;

	(void)state;
	assert_true(worked_of(two, 1, &ns));
	assert_int_equal(ns, 54321ull * 10 * MS);
	assert_true(worked_of(two, 10, &ns));
	assert_int_equal(ns, 20 * MS);
	assert_false(worked_of(two, 0, &ns));
	assert_false(worked_of(two, -1, &ns));
	assert_false(worked_of("cpu1 1 2 3 4 5 6\n", 1, &ns));
	assert_false(worked_of("cpu1 1 2 3 4 5 6 7", 1, &ns)); /* cut off */
	assert_false(worked_of("cpu1", 1, &ns));
	assert_false(worked_of("", 1, &ns));
}

static int core_of(const char *text)
{
	return vigil_core(bytes_of(text, strlen(text)));
}

static void the_core_of_a_process(void **state)
{
	const char *its = "3 (a) b) R 4 5 6 -7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 "
			  "32 33 34 35 36 37 38 39 40\n";

	(void)state;
	assert_int_equal(core_of(its), 39);
	assert_int_equal(core_of("3 (a) R 1 2"), -1);
	assert_int_equal(core_of("3 (a)"), -1);
	assert_int_equal(core_of(""), -1);
}

static void who_is_unknown_counts_as_idle(void **state)
{
	struct vigil v;

	(void)state;
	vigil_begin(&v, 0, -1, -1);
	assert_false(vigil_hung(&v, 19 * MS, GAP, LIMIT));
	assert_false(vigil_hung(&v, 19 * MS, GAP, LIMIT));
	assert_true(vigil_hung(&v, 19 * MS, GAP, LIMIT));
	vigil_beat(&v);
	/* A long time without a look is not all the other one's. */
	assert_false(vigil_hung(&v, 900 * MS, GAP, LIMIT));
}

static char state_of(const char *text)
{
	return vigil_state(bytes_of(text, strlen(text)));
}

static void states(void **state)
{
	(void)state;
	assert_int_equal(state_of("12 (sekishod) R 1 12"), 'R');
	assert_int_equal(state_of("12 (a) R (b) S 1 12"), 'S');
	assert_int_equal(state_of("12 (sekishod) "), 0);
	assert_int_equal(state_of("12 (sekishod)"), 0);
	assert_int_equal(state_of("12 sekishod R"), 0);
	assert_int_equal(state_of(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hung_when_it_spins),
		cmocka_unit_test(hung_when_it_sleeps),
		cmocka_unit_test(hung_when_it_is_stopped),
		cmocka_unit_test(not_hung_when_it_beats),
		cmocka_unit_test(not_hung_without_a_core),
		cmocka_unit_test(still_when_it_does_nothing),
		cmocka_unit_test(a_long_look_counts_little),
		cmocka_unit_test(not_hung_on_a_core_that_stands_still),
		cmocka_unit_test(as_hung_on_a_core_that_works),
		cmocka_unit_test(cores_that_tell_nothing),
		cmocka_unit_test(what_a_core_did),
		cmocka_unit_test(the_core_of_a_process),
		cmocka_unit_test(who_is_unknown_counts_as_idle),
		cmocka_unit_test(states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/role/vigil.c appliance/base/bytes.c appliance/base/err.c appliance/base/clock.c
 */
#include "tests/unit/cmocka.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

/* Looks every 5 ms for at most `ms`; returns the ms until the process counts as hung, 0 = never. */
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

static void watched(void (*does)(void), int signal_first)
{
	pid_t pid = child(does, SCHED_OTHER);
	int stat = vigil_open(pid, NULL);
	struct vigil v;

	assert_true(stat >= 0);
	if (signal_first != 0)
		kill(pid, signal_first);
	vigil_begin(&v, pid, stat);
	assert_true(until_hung(&v, 5000) >= 45);
	end(pid, stat);
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
	vigil_begin(&v, pid, stat);
	for (int i = 0; i < 60; i++) {
		nap(LOOK);
		assert_false(vigil_hung(&v, LOOK, GAP, LIMIT));
		vigil_beat(&v);
	}
	end(pid, stat);
}

/* One core, a busy process, and a process that only gets the rest of the core: it waits, and is not
 * hung. */
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
	vigil_begin(&v, poor, stat);
	/* In 500 ms it has the core for a few ms. */
	assert_int_equal(until_hung(&v, 500), 0);
	assert_true(v.starved_ns > 100 * MS);
	end(poor, stat);
	kill(busy, SIGKILL);
	waitpid(busy, NULL, 0);
}

/* A process that works may take as long as it likes. A process that sleeps or is stopped does
 * nothing. */
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
		vigil_begin(&v, pid, stat);
		for (int i = 0; i < 40; i++) {
			nap(LOOK);
			still |= vigil_still(&v, LOOK, GAP, LIMIT);
		}
		assert_int_equal(still, cases[k].still);
		end(pid, stat);
	}
}

/* If another virtual machine had the core, the kernel may count that time for the process: so a
 * single long look proves little. */
static void a_long_look_counts_little(void **state)
{
	pid_t pid = child(spins, SCHED_OTHER);
	int stat = vigil_open(pid, NULL);
	struct timespec had = { 0 };
	struct vigil v;
	clockid_t clock;

	(void)state;
	vigil_begin(&v, pid, stat);
	assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
	while (had.tv_sec == 0 && (uint64_t)had.tv_nsec < 2 * LIMIT) {
		nap(LOOK);
		clock_gettime(clock, &had);
	}
	assert_false(vigil_hung(&v, 2 * LIMIT, GAP, LIMIT));
	assert_true(until_hung(&v, 5000) > 0);
	end(pid, stat);
}

/*
 * If another virtual machine has the core, no clock tick comes there. A process that was running at
 * that moment does not count as one that ran, because its clock, read from another core, only moves
 * with events on its own core.
 */
static void a_clock_moves_with_its_own_core(void **state)
{
	pid_t pid = child(spins, SCHED_OTHER);
	struct mono start = clock_mono();
	struct timespec had = { 0 }, last = { 0 };
	unsigned reads = 0, moves = 0;
	clockid_t clock;

	(void)state;
	assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
	while (moves < 10 && clock_mono().ns - start.ns < 10000 * (uint64_t)MS) {
		clock_gettime(clock, &had);
		moves += had.tv_nsec != last.tv_nsec || had.tv_sec != last.tv_sec;
		last = had;
		reads++;
	}
	assert_int_equal(moves, 10);
	assert_true(reads > 10 * moves);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void who_is_unknown_counts_as_idle(void **state)
{
	struct vigil v;

	(void)state;
	vigil_begin(&v, 0, -1);
	assert_false(vigil_hung(&v, 19 * MS, GAP, LIMIT));
	assert_false(vigil_hung(&v, 19 * MS, GAP, LIMIT));
	assert_true(vigil_hung(&v, 19 * MS, GAP, LIMIT));
	vigil_beat(&v);
	/* A long time without a look does not count completely. */
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
		cmocka_unit_test(a_clock_moves_with_its_own_core),
		cmocka_unit_test(who_is_unknown_counts_as_idle),
		cmocka_unit_test(states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a box in one process. The real supervisor runs on a stack of its own. When it waits,
 * the roles have their turns (processes.h). When nothing is left to do, the test goes on with its
 * list of what happens to the box: time passes, a person gives an order, a process dies, the power
 * goes. So a life is the same each time it is run.
 */
#ifndef SEKISHO_TESTS_LIFE_LIFE_H
#define SEKISHO_TESTS_LIFE_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/life/policies.h"
#include "tests/life/processes.h"

enum life_end {
	LIFE_GOES_ON,
	LIFE_ENDED,	 /* the daemon has ended by itself: life.status */
	LIFE_POWER_LOST, /* in the middle of a write */
	LIFE_KILLED,	 /* SIGKILL in the middle of its work */
};

struct life {
	char folder[64];
	enum life_end end;
	int status; /* exit status */
	/*
	 * Moments: turns of the daemon, calls of the machine, writes to the disk; counted since the
	 * life began. At the moment `killed_at` somebody kills the daemon; 0 = never.
	 */
	uint64_t moments, killed_at;
	/* ns: on a very slow machine, time passes in steps of at least this length */
	uint64_t granule;
	uint64_t seed; /* seed of the random numbers */
};

extern struct life life;

/* Lives a life in a process of its own, because it leaves behind the memory of its daemons; whether
 * it was as it must be. */
bool life_lived(void (*life_of)(void));
/* A box without state, on a machine that has just been started. */
void life_begin(void);
void life_over(void);
/* Starts the daemon and runs it until everything is quiet. */
enum life_end life_boot(void);
/* Runs it on, after the test has done something. */
enum life_end life_settle(void);
enum life_end life_pass(uint64_t ns);
/* SIGTERM, and waiting for the end. */
enum life_end life_stop(void);
/* SIGKILL: what the kernel and the disk have stays. Also after LIFE_KILLED. */
void life_kill(void);
/* The power fails: everything is gone that is not on the disk. Also after LIFE_POWER_LOST.
 * `renamed` as in disk.h. */
void life_off(bool renamed);

/*
 * Orders of root, each until everything is quiet; returns the answer (processes.h), NULL if control
 * does not run.
 */
const struct answer *life_apply(enum known_policy p, uint32_t confirm_s, uint8_t flags);
const struct answer *life_confirm(uint64_t to);
const struct answer *life_rollback(uint64_t to);
const struct answer *life_release(const char *device);
/* CHANGE_ISOLATE, CHANGE_REJOIN */
const struct answer *life_isolate(uint8_t order, const char *what);
/* CHANGE_OPEN, CHANGE_SHUT: for the door "gate" */
const struct answer *life_door(uint8_t order, uint32_t for_s);
/* The number behind this key in an answer; 0: there is none. */
uint64_t life_says(const struct answer *a, const char *key);
/* ... of an account, over the web, about the draft as it is (SAVE: processes.draft); `to` as in
 * CHANGE. */
const struct answer *life_change(enum change_order order, uint32_t confirm_s, uint64_t to);
/* Any question or order; takes `fd`. */
const struct answer *life_asks(enum way way, const struct msg_body *question, int fd);
/* A question without a daemon, as the command line asks it; returns the exit status. Its output is
 * discarded. */
int life_standing(const char *question);
int life_release_alone(const char *device);

/* ---- for what stands in for the system ------------------------------------------------------- */

bool life_runs(void);	/* whether there is a daemon, or one is being started */
bool life_inside(void); /* whether the daemon is the caller */
void life_quiet(uint64_t due);
void life_step(uint64_t due);
void life_timer(int fd, uint64_t at);
void life_turn(void);	/* counts one more turn of the daemon */
void life_moment(void); /* counts one more moment */
void life_power_lost(void);

/* For a list of lives, each a function: a test of each, and their rows. */
#define A_LIFE(name)                                                                                                   \
	static void test_##name(void **state)                                                                          \
	{                                                                                                              \
		(void)state;                                                                                           \
		assert_true(life_lived(name));                                                                         \
	}
#define A_TEST(name) cmocka_unit_test(test_##name),

/* If `x` is false the life is not as it must be: prints where, and ends the process. */
#define LIFE(x)                                                                                                        \
	do {                                                                                                           \
		if (!(x)) {                                                                                            \
			printf("%s:%d: not so: %s (seed %llu)\n", __FILE__, __LINE__, #x,                              \
			       (unsigned long long)life.seed);                                                         \
			fflush(stdout);                                                                                \
			_exit(1);                                                                                      \
		}                                                                                                      \
	} while (0)

#endif

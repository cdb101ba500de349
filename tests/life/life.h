/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a box in one process. The real supervisor runs on a stack of its own; where it waits,
 * the roles have their turns (processes.h), and when nobody has anything to do any more the test
 * goes on, a straight line of what happens to the box: time passes, a person orders, somebody dies,
 * the power goes. So every life is the same each time it is lived.
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
};

struct life {
	char folder[64];
	enum life_end end;
	int status;	  /* exit status */
	uint64_t granule; /* ns: the machine is so slow that nobody sees less time pass at once */
	uint64_t seed;	  /* of what is drawn */
};

extern struct life life;

/* A box without a state, on a machine that was just started. */
void life_begin(void);
void life_over(void);
/* The daemon starts; it runs until all is quiet. */
enum life_end life_boot(void);
/* ... on, after the test has done something. */
enum life_end life_settle(void);
enum life_end life_pass(uint64_t ns);
/* SIGTERM, and until it has ended. */
enum life_end life_stop(void);
/* SIGKILL: what the kernel and the disk have stays. */
void life_kill(void);
/* What no disk has is gone. Also after LIFE_POWER_LOST. `renamed` as in disk.h. */
void life_off(bool renamed);

/*
 * Orders of root's, each until all is quiet: the answer (processes.h), NULL when control does not
 * live.
 */
const struct answer *life_apply(enum known_policy p, uint32_t confirm_s, uint8_t flags);
const struct answer *life_confirm(uint64_t to);
const struct answer *life_rollback(uint64_t to);
const struct answer *life_release(const char *device);
/* CHANGE_ISOLATE, CHANGE_REJOIN */
const struct answer *life_isolate(uint8_t order, const char *what);
/* CHANGE_OPEN, CHANGE_SHUT: of the door "gate" */
const struct answer *life_door(uint8_t order, uint32_t for_s);
/* ... of an account's, over the web; `to` as in CHANGE. */
const struct answer *life_change(enum change_order order, uint32_t confirm_s, uint64_t to);
/* Without a daemon, as the command line does it: the exit status. What it prints is thrown away. */
int life_standing(const char *question);
int life_release_alone(const char *device);

/* ---- for what stands in for the system ------------------------------------------------------- */

bool life_runs(void);	/* there is a daemon, or one is begun */
bool life_inside(void); /* it is the daemon that calls */
void life_quiet(uint64_t due);
void life_step(uint64_t due);
void life_timer(int fd, uint64_t at);
void life_turn(void); /* one more of the daemon's */
void life_power_lost(void);

/* A life that is not as it must be ends its process, after saying where. */
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

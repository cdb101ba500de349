/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles that the supervisor starts, in this process. Each has the other end of a message pair,
 * and sends on it what its role sends. A death closes that end and must be reaped, as with a
 * process. What a role knows is here; what it has done to the machine is in machine.h.
 */
#ifndef SEKISHO_TESTS_LIFE_PROCESSES_H
#define SEKISHO_TESTS_LIFE_PROCESSES_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "tests/life/policies.h"

#define ANSWERS_KEPT 256u

/* How the role enforce behaves when it is told what to load. */
enum enforce_mood {
	ENFORCE_OBEYS,
	ENFORCE_REFUSES,     /* the kernel did not accept the rules */
	ENFORCE_DIES_BEFORE, /* ... and its process ends without an answer */
	ENFORCE_DIES_AFTER,  /* the rules are loaded, and its process ends without an answer */
	ENFORCE_SLEEPS,	     /* it never answers */
};
enum compile_mood { COMPILE_WORKS, COMPILE_FINDS_MISTAKES, COMPILE_DIES, COMPILE_SLEEPS };
enum worker_mood { WORKER_TAKES, WORKER_REFUSES, WORKER_SLEEPS };

/* The result of a person's order. */
struct answer {
	bool asked, told; /* asked: the question was sent, and control has not died since */
	unsigned times;	  /* number of answers to this order */
	int status;
	char text[400]; /* JSON, or its beginning */
};

struct processes {
	enum enforce_mood enforce; /* for the next order only; afterwards it obeys again */
	enum compile_mood compile; /* for the next question only, like `enforce` */
	enum worker_mood worker;
	struct answer answers[ANSWERS_KEPT]; /* index: the number of the order */
	uint32_t asked;
	/* the records that the journal got, by kind and code */
	unsigned records[EVENT_KIND_COUNT][256];
	enum known_policy draft;
	struct msg_standing standing; /* the last state that control was told */
};

extern struct processes processes;

/* Gives each process a turn; whether anything was done. */
bool processes_turn(void);
bool process_lives(enum role role); /* whether it runs and is not stopped */
/* Lets a process of this role die by itself, or stand still; false: none runs. */
bool process_die(enum role role);
bool process_freeze(enum role role);
/* As waitid(2) and pidfd_send_signal(2). */
int process_reap(int pidfd, siginfo_t *ret);
int process_signal(int pidfd, int sig);
/* The daemon has ended, and all processes with it. */
void processes_end(void);
void processes_new(void);

/*
 * An order that a person gives control at root's socket, or over the web. Returns its number, 0:
 * control does not run.
 */
uint32_t person_orders(const struct msg_body *order, int fd);
uint32_t person_asks(const struct msg_body *question, int fd);
/* The number of records of this kind and code since the life began. */
unsigned recorded(enum event_kind kind, uint8_t code);

#endif

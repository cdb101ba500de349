/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles as the supervisor starts them, in this process: each has the other end of a message
 * pair and says on it what its role says. A death closes that end and is to be reaped, as of a
 * process. What a role knows is here; what it has done to the machine is the machine's.
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

/* How a role behaves that was told what is in the way of its work. */
enum enforce_mood {
	ENFORCE_OBEYS,
	ENFORCE_REFUSES,     /* the kernel did not take the rules */
	ENFORCE_DIES_BEFORE, /* ... and its process ends without a word */
	ENFORCE_DIES_AFTER,  /* the rules stand, and nobody hears it */
	ENFORCE_SLEEPS,	     /* it never answers */
};
enum compile_mood { COMPILE_WORKS, COMPILE_FINDS_MISTAKES, COMPILE_DIES, COMPILE_SLEEPS };
enum worker_mood { WORKER_TAKES, WORKER_REFUSES, WORKER_SLEEPS };

/* What a person's order has come to. */
struct answer {
	bool asked, told; /* asked: and control has lived since */
	unsigned times;	  /* it was answered */
	int status;
	char text[400]; /* JSON, or its beginning */
};

struct processes {
	enum enforce_mood enforce; /* of the next order alone; then it obeys again */
	enum compile_mood compile; /* likewise */
	enum worker_mood worker;
	struct answer answers[ANSWERS_KEPT]; /* by number */
	uint32_t asked;
	unsigned records[EVENT_KIND_COUNT][256]; /* as the journal had them, by kind and code */
	enum known_policy draft;
	struct msg_standing standing; /* as control has heard it last */
};

extern struct processes processes;

/* Each has a turn; whether anything was done. */
bool processes_turn(void);
bool process_lives(enum role role); /* and does not stand still */
/* A process of that role dies by itself, or stands still; false: none lives. */
bool process_die(enum role role);
bool process_freeze(enum role role);
/* As waitid(2) and pidfd_send_signal(2). */
int process_reap(int pidfd, siginfo_t *ret);
int process_signal(int pidfd, int sig);
/* The daemon is no more, and all of them with it. */
void processes_end(void);
void processes_new(void);

/*
 * By way of control: what a person has ordered at root's socket, or asks and orders over the web.
 * Its number, 0: control does not live.
 */
uint32_t person_orders(const struct msg_body *order, int fd);
uint32_t person_asks(const struct msg_body *question, int fd);
/* So many records of that kind and code since the life began. */
unsigned recorded(enum event_kind kind, uint8_t code);

#endif

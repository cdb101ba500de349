/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles that the supervisor starts, in this process. Each has the other end of a message pair,
 * and sends on it what its role sends. A death closes that end and must be reaped, as with a
 * process. What a role knows is here; what it has done to the machine is in machine.h. Control is
 * the real one (control.h), and people are connected to it.
 */
#ifndef SEKISHO_TESTS_LIFE_PROCESSES_H
#define SEKISHO_TESTS_LIFE_PROCESSES_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"
#include "tests/life/policies.h"

#define ANSWERS_KEPT 256u

/* How the role enforce behaves when it is told what to load. */
enum enforce_mood {
	ENFORCE_OBEYS,
	ENFORCE_REFUSES,     /* the kernel did not accept the rules */
	ENFORCE_DIES_BEFORE, /* ... and its process ends without an answer */
	ENFORCE_DIES_AFTER,  /* the rules are loaded, and its process ends without an answer */
	ENFORCE_SLEEPS,	     /* it never answers */
	ENFORCE_BLIND,	     /* it cannot say which sessions a change would end */
};
enum compile_mood { COMPILE_WORKS, COMPILE_FINDS_MISTAKES, COMPILE_DIES, COMPILE_SLEEPS };
enum worker_mood { WORKER_TAKES, WORKER_REFUSES, WORKER_SLEEPS };

/* Where a person asks: root at the control socket, or the user that forwards alarms; a login at the
 * socket of logins; an account over the web. */
enum way { AS_ROOT, AS_NOTIFY, AS_LOGIN, OVER_WEB };
#define PERSON_LOGIN 54321u /* uid of the login "ume"; nobody's who runs the tests */

/* The result of a person's order. */
struct answer {
	/* asked: the question was sent, and neither control nor the web side, if it was asked
	 * there, has died since */
	bool asked, told;
	bool web;	  /* over the web */
	bool closed;	  /* control closed the connection without an answer */
	unsigned times;	  /* number of answers to this order */
	unsigned reports; /* reports of progress before that */
	int fd;		  /* the connection; -1 = none */
	int status;
	char text[400]; /* JSON, or its beginning */
	char *whole;	/* all of it; NULL = none */
};

struct processes {
	enum enforce_mood enforce; /* for the next order only; afterwards it obeys again */
	unsigned slow_loads;	   /* so many times enforce takes 3 s to load rules */
	enum compile_mood compile; /* for the next question only, like `enforce` */
	enum worker_mood worker;
	struct answer answers[ANSWERS_KEPT]; /* index: the number of the order */
	uint32_t asked;
	/* the records that the journal got, by kind and code */
	unsigned records[EVENT_KIND_COUNT][256];
	/* those of EVENT_ROLE, by the role that they name */
	unsigned role_records[ROLE_COUNT][256];
	enum known_policy draft;
	const char *comment;	      /* the comment of an order about the draft; NULL = none */
	struct msg_standing standing; /* the last state that control was told */
	unsigned standings;	      /* how often it was told one */
	/* the last generation whose names the journal was told */
	struct event_generation named;
	unsigned names;	    /* how many the journals were told */
	bool journal_fails; /* each journal ends before it reads anything */
	/* enforce hands in a list of doors that nobody can take */
	bool doors_too_long;
	/* the answers of accounts to the question who somebody is, and whether he may */
	uint8_t judged;
	const char *who; /* NULL: kaki, who decides alone */
	/* instead of a role's usual answer to a question of people; NULL = the usual one */
	const char *said[ROLE_COUNT];
	/* sessions that a change ends, and that it gives another permit, as enforce says */
	unsigned n_cut, n_changed;
	struct msg_foretold_session foretold; /* what a worker says of the first of the latter */
	/* pairs that enforce was given last: cut, and what goes on */
	unsigned apart, apart_kept;
	unsigned cuts;	     /* lists of ended sessions that workers got */
	uint64_t answer_ns;  /* how long a worker weighs sessions */
	unsigned impacts;    /* questions about a table or sessions that workers got */
	size_t used;	     /* bytes of uses that the present enforce was given */
	enum msg_type heard; /* the last question of people that a role heard */
	/* a role that does not answer questions of people; ROLE_COUNT = none */
	enum role mute;
	/* a role whose process cannot be started; ROLE_COUNT = none */
	enum role absent;
	struct msg_certified certified; /* what the web side says of every certificate */
	enum seal_trouble seal;
};

extern struct processes processes;

/* Gives each process a turn; whether anything was done. */
bool processes_turn(void);
/* When one of them wants a turn at the latest, although nobody tells it anything. */
uint64_t processes_due(void);
bool process_lives(enum role role); /* whether it runs and is not stopped */
/* Lets a process of this role die by itself, or stand still; false: none runs. */
bool process_die(enum role role);
bool process_freeze(enum role role);
/* Lets it say this to the supervisor by itself; `fd` stays the caller's, -1 = none. */
bool process_says(enum role role, const struct msg_body *m, int fd);
bool process_says_under(enum role role, uint32_t id, const struct msg_body *m, int fd);
pid_t process_pid(enum role role); /* 0: none runs */
/* The gate decides over so many packets of this lane in its worker's place. */
bool gate_decided(uint32_t lane, uint64_t packets);
/* As waitid(2) and pidfd_send_signal(2). */
int process_reap(int pidfd, siginfo_t *ret);
int process_signal(int pidfd, int sig);
/* The daemon has ended, and all processes with it. */
void processes_end(void);
void processes_new(void);

/*
 * Asks control, or gives it an order. Returns the number, 0: control does not run, or there is no
 * such way.
 */
uint32_t person_asks(enum way way, const struct msg_body *question, int fd);
/* A connection to control's socket, or the supervisor's for orders, for bytes of the caller's own.
 * -1: there is none. */
int person_connects(enum way way, bool order);
/* Sends more on the same connection, under this id; or ends it. */
bool person_adds(uint32_t number, uint32_t id, const struct msg_body *more);
void person_leaves(uint32_t number);
/* The number of records of this kind and code since the life began. */
unsigned recorded(enum event_kind kind, uint8_t code);

#endif

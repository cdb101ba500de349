/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by processes.c, the start and death of processes, and roles.c, the messages of the
 * roles. */
#ifndef SEKISHO_TESTS_LIFE_PROCESSES_PRIVATE_H
#define SEKISHO_TESTS_LIFE_PROCESSES_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/wire/msg.h"
#include "appliance/wire/ring.h"
#include "appliance/wire/role.h"

struct process {
	bool used, dead, frozen, ready;
	enum role role;
	unsigned slot; /* wire/slot.h */
	pid_t pid;
	int pidfd;  /* as the supervisor knows it */
	int chan;   /* its end of the channel; -1 once it is dead */
	int exited; /* another descriptor for pidfd, which becomes readable at the end */
	int code, status;
	struct pulse *pulse; /* of a gate */
	int people;	     /* of the web side: its channel to control; else -1 */
	uint8_t table[32];   /* of a worker: the digest of its table */
};

/* Its end; `code` and the status as waitid gives them. */
void process_end(struct process *p, int code, int status);
/* Handles a message. False: the process died of it. */
bool role_hears(struct process *p, struct msg *m);
/* What the process does besides in a turn; whether it did anything. */
bool role_turns(struct process *p);
struct process *process_of(enum role role);
/* doors.c: a new enforce, with its end of the event socket; what is loaded (the sealed generation,
 * and the ids of its permits); its messages about doors and isolations (false: it ends), and what
 * follows by the clock. */
void doors_begin(int events);
void doors_end(void);
void doors_apply(struct bytes all, size_t n_sealed);
/* A generation is to be applied or tried: how it waits for the clock. */
enum clock_wait doors_try(struct process *p, struct bytes all, const struct msg_apply *m);
bool doors_hear(struct process *p, struct msg *m);
void doors_turn(struct process *p);
/* Drops the records that the present journal has not read. */
void journal_begin(int told); /* takes over the descriptor */
void journal_ends(void);
uint64_t late_due(void); /* when enforce answers that it has loaded the rules */
/* people.c: takes all answers that have come; whether there were any. */
bool people_turn(void);
/* Nobody has a connection any more: control has ended. */
void people_end(void);
/* The web side has ended: whoever asked there gets no answer any more. */
void people_web_end(void);
/* The web side heard this from control. */
void people_told(const struct msg *m);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Between the life and death of processes, and what each role says. */
#ifndef SEKISHO_TESTS_LIFE_PROCESSES_PRIVATE_H
#define SEKISHO_TESTS_LIFE_PROCESSES_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/wire/msg.h"
#include "appliance/wire/ring.h"

struct process {
	bool used, dead, frozen, ready;
	enum role role;
	pid_t pid;
	int pidfd;  /* as the supervisor knows it */
	int chan;   /* its end; -1 once it is dead */
	int exited; /* another descriptor of pidfd, which becomes readable */
	int code, status;
	struct pulse *pulse; /* of a gate */
};

/* Its end; as waitid tells it. */
void process_end(struct process *p, int code, int status);
/* What it does with a message. False: it is dead by that. */
bool role_hears(struct process *p, struct msg *m);
/* What it does besides in a turn; whether that was anything. */
bool role_turns(struct process *p);
struct process *process_of(enum role role);
/* What the journal of now has not read. */
void journal_ends(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child of the role: forked before the role enters its sandbox, since afterwards nothing can be
 * started. It has one end of a SEQPACKET socket, which carries structures of one size each way, and
 * nothing else of the role's. It ends with the role, and the role ends with it.
 */
#ifndef SEKISHO_ACCOUNTS_CHILD_H
#define SEKISHO_ACCOUNTS_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/clock.h"
#include "appliance/base/err.h"

#define CHILD_FD 3 /* the only one that is left to it, beside 0 to 2 */

/* What a child is given to answer takes well below a second. One that has not moved for so long
 * hangs, however busy the machine is. */
#define CHILD_NS 60000000000ull

/* What it has been asked and has not answered, so that one that hangs, or says what nobody asked,
 * is noticed. Starts as zeros. */
struct child_debt {
	unsigned answers;
	struct mono since; /* its last answer, or the first question since it owed none */
};

/* Forks; in the child `run` is called with `arg` and never comes back. The role's end, owned by the
 * caller, or negative errno. */
int child_start(void (*run)(int arg), int arg, const char *what, struct err *e);
/* False: it is gone, or so far behind that its socket is full. */
bool child_ask(int fd, const void *question, size_t n);
/* 1 = an answer of that size, 0 = none yet, negative errno: it is gone. */
int child_answer(int fd, void *ret, size_t n);

void child_asked(struct child_debt *d, struct mono now);
/* False: nobody had asked. */
bool child_answered(struct child_debt *d, struct mono now);
bool child_hangs(const struct child_debt *d, struct mono now);

#endif

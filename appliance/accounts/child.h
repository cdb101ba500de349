/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child of the role: forked before the role enters its sandbox, since afterwards nothing can be
 * started. The role gives it nothing but one end of a SEQPACKET socket. Each direction of the
 * socket carries structures of one size. When the child or the role ends, so does the other.
 */
#ifndef SEKISHO_ACCOUNTS_CHILD_H
#define SEKISHO_ACCOUNTS_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/clock.h"
#include "appliance/base/err.h"

#define CHILD_FD 3 /* its only descriptor besides 0 to 2 */

/* A question to a child takes much less than a second. A child that has not answered for this time
 * hangs, even on a busy machine. */
#define CHILD_NS 60000000000ull

/* The questions that a child has not answered, to detect one that hangs or answers what was not
 * asked. Starts as zeros. */
struct child_debt {
	unsigned answers;
	struct mono since; /* time of its last answer, or of its first question after a pause */
};

/* Forks; the child calls run(arg) and never returns. Returns the role's end of the socket, owned by
 * the caller, or negative errno. */
int child_start(void (*run)(int arg), int arg, const char *what, struct err *e);
/* False: the child is gone, or so far behind that its socket is full. */
bool child_ask(int fd, const void *question, size_t n);
/* 1 = an answer of that size, 0 = none yet, negative errno: the child is gone. */
int child_answer(int fd, void *ret, size_t n);

void child_asked(struct child_debt *d, struct mono now);
/* False: nobody had asked. */
bool child_answered(struct child_debt *d, struct mono now);
bool child_hangs(const struct child_debt *d, struct mono now);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of an apply or a dry run, and what the other roles answer. */
#ifndef SEKISHO_SUPERVISE_APPLY_H
#define SEKISHO_SUPERVISE_APPLY_H

#include <signal.h>

struct msg;
struct supervisor;

void op_compile_begin(struct supervisor *s);
/* ends the compiler of this operation, if there is one; those of others go on */
void op_compile_end(struct supervisor *s);
/* op.next exists: the part of a dry run before the rules (agreement to take devices; addresses and
 * routes, which are tried in empty namespaces); then goes on, or gives up */
void op_try(struct supervisor *s);
/* op.next exists: prepares devices, queues and tables, and goes on */
void op_prepare(struct supervisor *s);
void op_to_kernel(struct supervisor *s);
void op_tables_begin(struct supervisor *s); /* the workers have been given their tables */
/* What could be set is in force. A missing device is looked for from time to time, and taken into
 * the box when it comes. `why`: what could not be set. */
void box_try_again(struct supervisor *s, const char *why);
void op_tables_late(struct supervisor *s);

void op_compiled(struct supervisor *s, struct msg *m);
void op_applied(struct supervisor *s, struct msg *m);
void op_tables(struct supervisor *s); /* a worker has acknowledged a table, or has started */
void op_enforce_died(struct supervisor *s);
void op_compile_died(struct supervisor *s, const siginfo_t *how);

/* apply.c: control has asked the workers about sessions that go on. */
void op_weighed(struct supervisor *s, struct msg *m);
/* Control asks the workers about the next of these sessions. */
void op_sessions(struct supervisor *s, struct msg *m);
void op_foretold(struct supervisor *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Roles that are alive but hang. */
#ifndef SEKISHO_SUPERVISE_WATCH_H
#define SEKISHO_SUPERVISE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct msg;
struct slot;
struct supervisor;

/* watch.c: roles that are alive but hang */
uint64_t watch_due(struct supervisor *s, uint64_t now);
int watch_open(struct supervisor *s, struct err *e);
/* A role has given its sign of life. */
bool watch_answered(struct supervisor *s, struct slot *sl, struct msg *m);

#endif

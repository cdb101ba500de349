/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager is told, and what it keeps. */
#ifndef SEKISHO_SUPERVISE_NOTIFY_H
#define SEKISHO_SUPERVISE_NOTIFY_H

#include <stdint.h>

struct err;
struct supervisor;

int notify_open(struct supervisor *s, struct err *e);
int notify_kept(void); /* the socket that the manager kept of an earlier daemon; -1 = none */
uint64_t notify_due(struct supervisor *s, uint64_t now);
void notify_ending(struct supervisor *s);

#endif

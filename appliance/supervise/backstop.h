/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Behind enforce, which turns forwarding off at the first word that somebody touched the rules, stands the supervisor: it
 * hears the same, and where enforce has not answered in a moment, because it is stopped, starved or dead, it turns
 * forwarding off itself. On again enforce alone turns it, when the rules stand.
 */
#ifndef SEKISHO_SUPERVISE_BACKSTOP_H
#define SEKISHO_SUPERVISE_BACKSTOP_H

#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/box/sysctl.h"
#include "appliance/wire/msg.h"

struct supervisor;

struct backstop {
	int monitor; /* owned; -1 = not open yet */
	struct forwarding forwarding;
	uint64_t heard_ns; /* monotonic: our table was touched, and enforce has not answered that; 0 = nothing waits */
};

/* An enforce is about to begin, with this socket for what it asks of the kernel. 0 or negative errno. */
int backstop_follow(struct supervisor *s, int requests, struct err *e);
/* Reads what the kernel told; before what enforce says, which is said later. */
void backstop_heard(struct supervisor *s);
void backstop_answered(struct supervisor *s, const struct msg_drift *d);
void backstop_due(struct supervisor *s, uint64_t now);
uint64_t backstop_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */

#endif

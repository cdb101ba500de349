/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enforce turns forwarding off when it learns that the rules were changed from outside. The
 * supervisor gets the same notice. If enforce does not answer shortly, because it is stopped, has
 * no core or is dead, the supervisor turns forwarding off itself. Only enforce turns it on again,
 * when the rules are right.
 */
#ifndef SEKISHO_SUPERVISE_BACKSTOP_H
#define SEKISHO_SUPERVISE_BACKSTOP_H

#include <stdint.h>

#include "appliance/box/sysctl.h"

struct err;
struct ground;
struct msg_drift;
struct supervisor;

struct backstop {
	int monitor; /* owned; -1 = not open yet */
	struct forwarding forwarding;
	/* monotonic ns: when our table was changed, while enforce has not answered; 0 = no answer
	 * is due */
	uint64_t heard_ns;
};

/* To be called before an enforce begins; `requests` is its socket for requests to the kernel. 0 or
 * negative errno. */
int backstop_follow(struct ground *ground, int requests, struct err *e);
/* Reads notices of the kernel. To be called before messages of enforce are read, because enforce
 * answers a notice that came before. */
void backstop_heard(struct ground *ground);
void backstop_answered(struct ground *ground, const struct msg_drift *d);
uint64_t backstop_due(struct supervisor *s, uint64_t now);

#endif

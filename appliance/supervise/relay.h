/* SPDX-License-Identifier: Apache-2.0 */
/* Between control and everybody else: questions and answers that go through as they are, and what control is told of how things stand. */
#ifndef SEKISHO_SUPERVISE_RELAY_H
#define SEKISHO_SUPERVISE_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */
struct slot;	   /* roles.h */

/* What control knows. */
struct relay {
	bool told;
	struct msg_standing standing;
	const void *policy; /* only compared */
	uint64_t number;
	struct generation_record *past; /* owned */
	size_t n_past;
	int web; /* control's end of the web side's channel, until it has it; -1 = none */
};

/* A question of control to the role that its id names. False: it may not ask that. */
bool relay_out(struct supervisor *s, struct msg *m);
/* What a role says to one of control's questions; it goes through. False: it is none of control's. */
bool relay_back(struct supervisor *s, struct slot *sl, struct msg *m);
/* Its process has ended: nobody answers what it was asked. */
void relay_gone(struct supervisor *s, struct slot *sl);
/* A new process of control, or of the web side, which hear of each other. */
void relay_begin(struct supervisor *s, struct slot *sl);
/* Whatever control does not know yet. Once a turn, and before an answer about the box. */
void relay_tell(struct supervisor *s);

#endif

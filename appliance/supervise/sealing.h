/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup's sealing, which control asks for, has the compiler's place while no operation wants it. An operation that changes what is in force goes before it, and it
 * begins anew; a dry run waits for it, since whoever repeats one would keep every backup from its end.
 */
#ifndef SEKISHO_SUPERVISE_SEALING_H
#define SEKISHO_SUPERVISE_SEALING_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */

struct sealing {
	uint32_t id; /* of control's request, 0 = none */
	int fds[2];  /* owned, -1 = none */
	bool runs;
};

/* Takes its descriptors. One at a time: another one is nobody's any more. */
void sealing_asked(struct supervisor *s, struct msg *m);
void sealing_done(struct supervisor *s, struct msg *m);
/* The compiler's process has ended. */
void sealing_died(struct supervisor *s);
void sealing_stop(struct supervisor *s, uint32_t id); /* of this request; 0 = whichever */
/* An operation wants the compiler: it is ended and waits; or it goes first, if it waits. */
void sealing_make_way(struct supervisor *s);
void sealing_goes_first(struct supervisor *s);
/* What waits begins when nothing else is done. */
void sealing_due(struct supervisor *s);

#endif

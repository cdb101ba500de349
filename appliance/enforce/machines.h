/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machines of zones of the class ot: when each was last heard, and how many packets a minute it
 * sends, compared with what is usual. heard.c tells what the kernel's sessions counted. Enforce
 * role only; allocates, outside of the packet path. Pure but for its memory.
 */
#ifndef SEKISHO_ENFORCE_MACHINES_H
#define SEKISHO_ENFORCE_MACHINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "policy/ir/ir.h"

struct heard_machine {
	uint32_t asset;		/* index in the generation's list of assets */
	uint64_t heard_wall_ns; /* 0 = never */
	uint64_t quiet_ns;	/* watched time since then */
	uint64_t look, minute;	/* packets of the present look, of the present minute */
	uint64_t last, usual;	/* of the last whole minute; the mean of minutes with packets */
	uint32_t minutes;	/* how many minutes the mean has, an hour of them at most */
};

struct machine_end {
	struct addr_range range;
	uint32_t machine; /* index in `list` */
};

/* Start from zero bytes. */
struct machines {
	struct heard_machine *list; /* owned */
	size_t n;
	struct machine_end *ends; /* owned; sorted; of ranges that overlap one is found */
	size_t n_ends;
	uint64_t minute_ns; /* how much of the present minute was watched */
};

/* `next` is in force now. A machine of the same name keeps what is known of it; `was` (NULL: none)
 * has the names. False when memory is out: then there are no machines. */
bool machines_adopt(struct machines *m, const struct ir *was, const struct ir *next);
/* A look consists of machines_begin, machines_note for each session's two ends, and
 * machines_end. */
void machines_begin(struct machines *m);
void machines_note(struct machines *m, const struct addr *from, uint64_t packets);
/* `gap_ns`: watched time since the last look. */
void machines_end(struct machines *m, uint64_t gap_ns, uint64_t wall_ns);
/* It was heard, and then sent nothing for the time of some packets. */
bool machine_is_silent(const struct heard_machine *x);
void machines_free(struct machines *m);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each permit, and each conduit, last let a new session in, and how many packets each cell
 * counted. The kernel counts. This knowledge outlives the process, the daemon and the machine,
 * since it is also written to the disk (matched_form.c), so that "never used" can be distinguished
 * from "not watched". Enforce role only; allocates outside of any packet's path.
 */
#ifndef SEKISHO_ENFORCE_MATCHED_H
#define SEKISHO_ENFORCE_MATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/kernel/image.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/spans.h"

/* Start from zero bytes. Moments are wall ns. */
struct matched {
	struct msg_used_permit *
		/* owned; by permit: what its elements had counted, and the look that saw them count
		 * on, 0 = none has */
		list;
	size_t n;
	/* owned; by name, of earlier policies too; known since when */
	struct msg_used_conduit *conduits;
	size_t n_conduits;
	struct msg_used_cell *cells; /* owned; by what a cell is, of earlier policies too */
	size_t n_cells;
	struct spans gaps;  /* what was counted in them is lost */
	uint8_t digest[32]; /* of the rules that were looked at; zeros = none stood */
	uint64_t looked_ns; /* 0 = nobody has looked yet */
	uint64_t began_ns;  /* of the first look of this process; 0 = none yet */
	bool untold;	    /* there was a look since the supervisor was told */
	bool at_once;	    /* ... and an apply: what is on the disk is of other rules */
};

struct generation_held;

void matched_free(struct matched *m);
/* A dump that was made at `wall_ns` while `g` was in force. Permits that are not of `g` and gone
 * are forgotten; conduits are not. */
void matched_note(struct matched *m, const struct image *have, const struct generation_held *g, uint64_t wall_ns);
/* What `want` gets in the place of `have` goes on from what its hosts and port had counted, under
 * whatever permit, in this table or one before it. */
void matched_seed(const struct matched *m, const struct image *have, const struct generation_held *g,
		  struct image *want);
/* That took the place of `have`: what is counted from now on is counted behind that. */
void matched_carry(struct matched *m, const struct image *have, const struct image *want, uint64_t wall_ns);
/* The clock was set: what this process noted moves with it. */
void matched_clock(struct matched *m, uint64_t was_ns, uint64_t wall_ns);
uint64_t matched_last(const struct matched *m, uint32_t permit);
/* Of a conduit, under this policy or one before that had one of its name. NULL: nobody has looked
 * since it is there. */
const struct msg_used_conduit *matched_conduit(const struct matched *m, const char *name);

/* ---- matched_form.c -------------------------------------------------------------------------- */

/* All of it as bytes, the caller's; NULL: no memory, or more than USED_BYTES. */
uint8_t *matched_put(const struct matched *m, size_t *ret_n);
/* Takes the place of *m, which is empty. 0, or negative errno with *m empty: -EBADMSG for what
 * matched_put() did not write. */
int matched_take(const uint8_t *p, size_t n, struct matched *m, struct err *e);

#endif

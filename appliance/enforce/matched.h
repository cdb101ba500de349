/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each permit and each conduit was last used, by a new session or by a packet of a live one,
 * and how many packets each cell counted. The kernel counts. This record is also written to the
 * disk, so it survives the end of the process and of the daemon, and a restart of the machine; so
 * "never used" can be distinguished from "not watched". Enforce role only; allocates, outside of
 * the packet path.
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

/* Starts as zeros. Times are wall clock ns. */
struct matched {
	struct msg_used_permit *
		/* owned; for each permit the counts of its elements, and the time of the last look
		 * that saw them increase; 0 = none did */
		list;
	size_t n;
	/* owned; sorted by name, with conduits of earlier policies; also says since when each is
	 * known */
	struct msg_used_conduit *conduits;
	size_t n_conduits;
	/* owned; sorted by a key of the cell, with cells of earlier policies */
	struct msg_used_cell *cells;
	size_t n_cells;
	struct spans gaps;  /* times whose counts are lost */
	uint8_t digest[32]; /* digest of the generation at the last look; zeros = there was none */
	uint64_t looked_ns; /* 0 = nobody has looked yet */
	uint64_t began_ns;  /* time of the first look of this process; 0 = none yet */
	bool untold;	    /* there was a look that the supervisor has not been told of */
	/* tell the supervisor at once: after an apply, the record on the disk is of earlier
	 * rules */
	bool at_once;
};

struct generation_held;

void matched_free(struct matched *m);
/* Takes a dump that was made at `wall_ns` while `g` was in force. Permits that are neither in `g`
 * nor in the kernel are forgotten; conduits are not. */
void matched_note(struct matched *m, const struct image *have, const struct generation_held *g, uint64_t wall_ns);
/* A session of this permit had traffic at `wall_ns`. */
void matched_carried(struct matched *m, uint32_t permit, uint64_t wall_ns);
/* Gives each new element in `want` the counts that an element for the same hosts and port had in
 * `have` or in an earlier table, under whatever permit. */
void matched_seed(const struct matched *m, const struct image *have, const struct generation_held *g,
		  struct image *want);
/* `want` has replaced `have`: later counts are compared with those of `want`. */
void matched_carry(struct matched *m, const struct image *have, const struct image *want, uint64_t wall_ns);
/* To be called when the clock was set: times that this process noted are moved accordingly. */
void matched_clock(struct matched *m, uint64_t was_ns, uint64_t wall_ns);
/* The permits in the kernel, sorted by id, each with the sum of what `weigh` returns for its cells.
 * The array has room for `more` permits. Owned by the caller; NULL: no memory. */
typedef uint64_t matched_weigh(unsigned set, const struct image_element *el);
struct msg_used_permit *matched_counts(const struct image *have, matched_weigh *weigh, size_t more, size_t *ret_n);
const struct msg_used_permit *matched_permit(const struct msg_used_permit *list, size_t n, uint32_t permit);
uint64_t matched_last(const struct matched *m, uint32_t permit);
/* The record of the conduit with this name, under whatever policy. NULL: there was no look since
 * the conduit exists. */
const struct msg_used_conduit *matched_conduit(const struct matched *m, const char *name);

/* The record as bytes, owned by the caller; NULL: no memory, or it would be longer than
 * USED_BYTES. */
uint8_t *matched_put(const struct matched *m, size_t *ret_n);
/* Reads the record into *m, which is empty. 0, or negative errno: then *m stays empty, and watching
 * begins anew. -EBADMSG: matched_put() did not write these bytes. */
int matched_take(const uint8_t *p, size_t n, struct matched *m, struct err *e);

#endif

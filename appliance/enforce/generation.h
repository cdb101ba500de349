/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation in memory with its permit ids and kernel indexes, and the moment by which its ends
 * are judged.
 */
#ifndef SEKISHO_ENFORCE_GENERATION_H
#define SEKISHO_ENFORCE_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/kernel/image.h"
#include "policy/ir/book.h"
#include "policy/ir/ir.h"
#include "policy/ir/seal.h"

struct arena;
struct enforce;
struct err;
struct ir_conduit;

#define GENERATION_MAX IR_SEALED_MAX /* bytes of a sealed generation with its id map */
/* permits kept for their live sessions; further ones are cut */
#define LINGER_MAX 256u

/* A permit that left the policy under on_tighten = "new_flows" and still has sessions. */
struct lingering {
	uint32_t permit, lane;
};

/* The index of each permit id, for a quick search: it is needed for every session that is read. */
struct permit_at {
	uint32_t id, index;
};

struct generation_held {
	struct arena *arena;
	struct ir ir;
	struct ir_book book;	 /* the names of the assets at the addresses in `ir` */
	uint32_t *ids;		 /* permit id per permit index */
	struct permit_at *by_id; /* sorted */
	uint32_t *interfaces;	 /* kernel index per interface, 0 = the interface is missing */
	struct lingering lingering[LINGER_MAX];
	size_t n_lingering;
	struct image kept; /* kernel elements of the lingering permits */
	/* per interface, its kernel index in `kept`, which is the last index that the interface
	 * had; 0 = none */
	uint32_t *kept_at;
	uint32_t *known; /* ids of the permits for which workers have tables, sorted */
	size_t n_known;
	/* seconds since 1970: the time for which generation_at last computed the ends; 0 = never */
	uint64_t asked_s;
	/* seconds since 1970: when scheduled hours next open something; UINT64_MAX = never */
	uint64_t opens_s;
	/* by permit: its last end that had passed at `asked_s`; 0 = none had */
	uint64_t *over_s;
	uint64_t *was_s; /* by permit: its end before that computation */
};

/*
 * Unseals `n_sealed` bytes at p, followed by `n_map` bytes of permit ids (big-endian u32 each).
 * NULL and *e when anything is wrong: digest, counts, an id of 0, an id used twice.
 */
struct generation_held *generation_hold(const uint8_t *p, size_t n_sealed, size_t n_map, struct err *e);
void generation_drop(struct generation_held *g); /* accepts NULL */
/* Index of a permit by its id, or UINT32_MAX. */
uint32_t generation_permit(const struct generation_held *g, uint32_t id);
/* The first conduit that grants something under this permit index; NULL when there is none. */
const struct ir_conduit *generation_conduit(const struct generation_held *g, uint32_t permit_index);
bool generation_lingers(const struct generation_held *g, uint32_t permit);
/* Reads the ids of the permits for which workers have tables: they follow the id map in MSG_APPLY.
 * 0, -EBADMSG, -ENOMEM. */
int generation_note_known(struct generation_held *g, struct bytes b, struct err *e);
bool generation_knows(const struct generation_held *g, uint32_t permit);
/* Keeps a permit's elements of SET_LIVE and SET_AGREE as they are in `from`. 0, -ENOSPC when too
 * many linger, -ENOMEM. */
int generation_keep(struct generation_held *g, const struct image *from, struct lingering l);
/*
 * Sets the kernel indexes of the kept elements (`kept_at`): to those that `before` last had for the
 * same devices, because the elements still have these even if a device is gone or has returned.
 * `before` NULL: to those of `interfaces`.
 */
void generation_places(struct generation_held *g, const struct generation_held *before);
/* To be called after links_resolve: if a device has returned with another index, its kept elements
 * get that index. */
void generation_follow(struct generation_held *g);
/* The time with which ends are compared, in seconds since 1970. While the clock is not trusted, it
 * is later than every end. */
uint64_t enforce_moment(const struct enforce *f);
/* Computes what scheduled hours open now, and until when. While the clock is not trusted,
 * everything with an end counts as over, and nothing is computed. */
void generation_at(struct enforce *f, struct generation_held *g);
/* If something opens now, sets f->timing.waits_due, so that the kernel is brought up to date
 * (enforce_waits_due). Returns the milliseconds until the next opening, -1 = not soon. */
int enforce_opens(struct enforce *f);
/* To be called when the clock was set: computes what is open now. The comparison that follows
 * (f->timing.clock_due) mends the rules and records what was wrong. */
void enforce_hours_set(struct enforce *f);
/* The image and rule texts that the kernel should have for `g` now. 0 or negative errno. */
int generation_image(struct enforce *f, const struct generation_held *g, struct arena *a, struct image *ret,
		     struct expectation *ret_x, struct err *e);

/* The name of the interface with this kernel index; NULL: no interface of the generation has it. */
static inline const char *generation_interface(const struct generation_held *g, uint32_t index)
{
	for (uint32_t i = 0; index != 0 && i < g->ir.n_interfaces; i++)
		if (g->interfaces[i] == index)
			return g->ir.interfaces[i].name;
	return NULL;
}

#endif

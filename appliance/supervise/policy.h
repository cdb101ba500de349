/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generations: one in memory with its permit ids and command table, which generation a permit comes from, and who is told of them.
 */
#ifndef SEKISHO_SUPERVISE_POLICY_H
#define SEKISHO_SUPERVISE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/err.h"
#include "appliance/wire/event.h"
#include "policy/ir/ir.h"

struct supervisor; /* supervise.h */
struct slot;	   /* roles.h */

struct policy {
	uint64_t number; /* 0: the empty one, which allows nothing */
	uint8_t *sealed;
	size_t n_sealed;
	struct arena *arena;
	struct ir *ir;
	uint32_t *ids;	/* per permit index */
	uint8_t *image; /* command table of exactly this generation */
	size_t n_image;
};

/* policy.c */
/* Takes `sealed` (malloc'd) whatever happens. NULL and *e on failure. Permit ids are on disk when it returns. */
struct policy *policy_new(struct supervisor *s, uint8_t *sealed, size_t n, uint64_t number, struct err *e);
struct policy *policy_empty(struct supervisor *s, struct err *e); /* number 0: no zones, no conduits */
struct policy *policy_stored(struct supervisor *s, uint64_t number, struct err *e); /* 0 gives the empty one */
/* What found no room on the disk is tried again while nothing else is done. */
bool is_unsaved(const struct supervisor *s); /* something that was decided is not on disk */
void policy_free(struct policy *p);	     /* accepts NULL */
/* This generation's table, with those permits of `old` (or NULL) that left under on_tighten = "new_flows", and of
 * `table` what lingered before. malloc'd; NULL when memory is out. */
uint8_t *policy_table(const struct policy *p, const struct policy *old, const uint8_t *table, size_t n_table,
		      size_t *ret_n);
struct stamps;
/*
 * The memfd of MSG_GENERATION, and of MSG_APPLY, with the permits of `table` behind it (NULL: of none); owned by the caller, negative errno
 * on failure.
 */
int policy_memfd(const struct policy *p, const struct stamps *table);

/* kernel.c: the steps that change something outside */
int kernel_send(struct supervisor *s, struct policy *p, uint8_t flags, uint32_t id, struct err *e);
void journal_generation(struct supervisor *s, const struct policy *p);
/* Once more those by which sessions of an earlier policy go on: the journal forgets what it heard longest ago. */
void journal_lingering(struct supervisor *s);
/* How long it keeps records. */
void journal_retention(struct supervisor *s);
/* Without telling it yet: a journal that is not there hears it when it starts. */
void journal_remember(struct supervisor *s, const struct policy *p);
/* A new journal: the generations of which records may still come. */
void journal_generations(struct supervisor *s);

struct stamp {
	uint32_t permit;
	struct event_generation of;
};

/* Of a command table: one a permit, in its order. */
struct stamps {
	struct stamp *list; /* owned */
	uint32_t n;
};

/* in_force.c. Permits of `p` are its own when it is in force, or when nobody had them before; the others stay as in
 * `old`. *ret is the caller's to free. */
int stamps_make(const struct stamps *old, const uint8_t *image, size_t n, const struct policy *p, bool in_force,
		struct stamps *ret);
/* Whoever notices something without a table hears by which generation it is decided from now on. */
void in_force_tell(struct supervisor *s);
void in_force_tell_one(struct supervisor *s, const struct slot *sl);

#endif

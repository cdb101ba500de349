/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation in memory with its permit ids and command table; the generation that a permit comes
 * from; and messages to roles about generations.
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
	uint64_t number; /* 0: the empty generation, which allows nothing */
	uint8_t *sealed;
	size_t n_sealed;
	struct arena *arena;
	struct ir *ir;
	uint32_t *ids;	/* per permit index */
	uint8_t *image; /* command table of exactly this generation */
	size_t n_image;
};

/* policy.c */
/* Takes over `sealed` (malloc'd) in any case. NULL and *e on failure. Permit ids are on disk when
 * it returns. */
struct policy *policy_new(struct supervisor *s, uint8_t *sealed, size_t n, uint64_t number, struct err *e);
/* number 0: no zones, no conduits */
struct policy *policy_empty(struct supervisor *s, struct err *e);
/* 0 gives the empty one */
struct policy *policy_stored(struct supervisor *s, uint64_t number, struct err *e);
bool is_unsaved(const struct supervisor *s); /* whether a decision is not on disk yet */
void policy_free(struct policy *p);	     /* accepts NULL */
/* This generation's command table, with the permits of `old` (or NULL) that were removed under
 * on_tighten = "new_flows", and those of `table` that lingered before. malloc'd; NULL when memory
 * is out. */
uint8_t *policy_table(const struct policy *p, const struct policy *old, const uint8_t *table, size_t n_table,
		      size_t *ret_n);
struct stamps;
/*
 * Makes the memfd for MSG_GENERATION and MSG_APPLY: the generation, followed by the permits of
 * `table` (NULL: none). Owned by the caller; negative errno on failure.
 */
int policy_memfd(const struct policy *p, const struct stamps *table);

/* kernel.c: messages to enforce and the journal */
int kernel_send(struct supervisor *s, struct policy *p, uint8_t flags, uint32_t id, struct err *e);
void journal_generation(struct supervisor *s, const struct policy *p);
/* Sends once more the generations whose permits sessions still have, because the journal drops
 * those that it was sent longest ago. */
void journal_lingering(struct supervisor *s);
/* Tells the journal how long to keep records. */
void journal_retention(struct supervisor *s);
/* Notes the rule without sending it; a journal that does not run gets it when it starts. */
void journal_remember(struct supervisor *s, const struct policy *p);
/* Sends a new journal the generations that further records may name. */
void journal_generations(struct supervisor *s);

struct stamp {
	uint32_t permit;
	struct event_generation of;
};

/* The generations of the permits of a command table, in its order. */
struct stamps {
	struct stamp *list; /* owned */
	uint32_t n;
};

/* surroundings.c. A permit of `p` belongs to `p` if `p` is in force or the permit is new; otherwise
 * to the generation that `old` names. *ret is the caller's to free. */
int stamps_make(const struct stamps *old, const uint8_t *image, size_t n, const struct policy *p, bool in_force,
		struct stamps *ret);
/* Tells the roles without a command table which generation decides from now on. */
void in_force_tell(struct supervisor *s);
void in_force_tell_one(struct supervisor *s, const struct slot *sl);

#endif

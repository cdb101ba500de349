/* SPDX-License-Identifier: Apache-2.0 */
/* A generation in memory, and who is told of it. */
#ifndef SEKISHO_SUPERVISE_POLICY_H
#define SEKISHO_SUPERVISE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/table_merge.h"

struct arena;
struct err;
struct generations;
struct ir;
struct msg;
struct slot;
struct supervisor;

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

/* Takes over `sealed` (malloc'd) in any case. NULL and *e on failure. Permit ids are on disk when
 * it returns. */
struct policy *policy_new(struct supervisor *s, uint8_t *sealed, size_t n, uint64_t number, struct err *e);
/* number 0: no zones, no conduits */
struct policy *policy_empty(struct supervisor *s, struct err *e);
/* 0 gives the empty one */
struct policy *policy_stored(struct supervisor *s, uint64_t number, struct err *e);
/* The sealed bytes of a stored generation in a memfd; negative: there is none. */
int policy_sealed(const struct generations *gens, uint64_t number);
bool is_unsaved(const struct supervisor *s); /* whether a decision is not on disk yet */
void policy_free(struct policy *p);	     /* accepts NULL */
/* The command table of a generation, and the table that the workers have, as parts of another table
 * (wire/table_merge.h). */
struct table_part policy_part(const struct policy *p);
struct table_part table_part(const struct table *t);
/* Puts into *ret the command table of `p`, with the permits of `old` (or NULL) that were removed
 * under on_tighten = "new_flows", and with the permits of `table` that lingered before. False:
 * memory is out. */
bool policy_table(const struct policy *p, const struct policy *old, struct table_part table, struct table *ret);
/*
 * Makes the memfd for MSG_GENERATION and MSG_APPLY: the sealed generation, the ids of its permits,
 * and of the permits of `table` (NULL: none) the ids or, for the journal, the generations. Owned by
 * the caller; negative errno on failure.
 */
int policy_memfd(const struct policy *p, const struct table *table, bool journal);

/* messages to enforce and the journal */
int kernel_send(struct supervisor *s, struct policy *p, uint8_t flags, uint32_t id, struct err *e);
/* Tells the journal, or the next one, the names of this generation, and which ones live sessions
 * still need. */
void journal_generation(struct supervisor *s, const struct policy *p);
/* Tells the journal the doors that people have opened, then the generation in force, which so is
 * always the last that waits while there is no journal. */
void journal_doors(struct supervisor *s);
/* Tells the journal how long to keep records. */
void journal_retention(struct supervisor *s);

/* Tells the roles which generation decides from now on. */
void in_force_tell(struct supervisor *s);
/* Tells a role what it needs of the policy in force. */
void role_told(struct supervisor *s, struct slot *sl);
/* Takes the pairs of addresses between which gates may answer TCP segments that belong to no
 * session. Enforce reads them from the generation that it has put into force. */
void pairs_told(struct supervisor *s, struct msg *m);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of sealed generations: numbered files, their history, and which one is confirmed. Supervisor only.
 *
 * `gen-<n>.sealed` holds the sealed bytes, `history` one line a generation, `confirmed` the number that boot loads. Every
 * file is replaced as a whole and synced. It never looks into a generation: the bytes prove themselves when they are
 * unsealed.
 */
#ifndef SEKISHO_STORE_GENERATION_H
#define SEKISHO_STORE_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/sentence.h"
#include "appliance/wire/past.h"

#define GENERATION_MAX_BYTES (256u << 20)
#define GENERATIONS_KEPT 50u

const char *generation_state_name(enum generation_state s);

const char *generation_why_name(enum generation_why w);

/* Who changes what, and for what reason. Texts are borrowed; NULL = nothing was said. */
struct generation_cause {
	enum generation_why why;
	const char *by, *comment;
	uint64_t other; /* the generation that it took the place of, or that took its place; 0 = none */
	const struct sentence *
		meant; /* of one that is new: what it makes possible and impossible beside the one before; NULL = not known */
};

struct generation_record {
	uint64_t number; /* from 1 */
	uint8_t digest[32];
	uint64_t applied_ns; /* wall time */
	enum generation_state state;
	char by[BY_BYTES]; /* who applied it: a login */
	char comment[COMMENT_BYTES];
	struct sentence meant; /* what it made possible and impossible, a line each */
	uint64_t before;       /* what was in force when it was applied; 0 = nothing, or not known */
	/* The last change of its state. */
	enum generation_why why;
	uint64_t changed_ns;
	char changed_by[BY_BYTES];
	char changed_comment[COMMENT_BYTES];
	uint64_t other; /* as in generation_cause */
};

struct generation_store {
	int dirfd;			/* owned */
	struct generation_record *list; /* ascending by number; owned */
	size_t n;
	uint64_t next;	    /* number of the next one */
	uint64_t confirmed; /* 0 = none */
	uint64_t gave_up;   /* was on trial when the box stopped; 0 = none */
	bool damaged; /* the history could not be read, or lacks what is confirmed: said by the caller, set aside here */
	bool lost;    /* which one is confirmed cannot be told: the same, but a pointer that may be whole stays */
	bool in_the_way; /* a damaged history that could not be set aside yet */
	bool looking;	 /* opened by generation_store_look */
	bool unsaved;	 /* the history in memory is not on disk, which is full or fails (generation_save) */
};

/*
 * Opens (and makes) the folder `generations` in statefd. What was on trial when the box stopped is marked reverted: boot
 * loads the confirmed one. A damaged history is set aside and begun anew; a damaged pointer means that nothing is
 * confirmed, and so does a missing one when the history knows a confirmed generation: to go by the history could open what a rollback had closed.
 * That a line cannot be written is no failure (see `unsaved`). 0 or negative errno.
 */
int generation_store_open(int statefd, struct generation_store *s, struct err *e);
/* As they lie there, for somebody who only reads: nothing is made, set aside, marked or written. -ENOENT without a folder. */
int generation_store_look(int statefd, struct generation_store *s, struct err *e);
void generation_store_close(struct generation_store *s);
/* The history, when it is not on disk yet: there may be room again. 0 or negative errno. */
int generation_save(struct generation_store *s, struct err *e);
/* Writes the bytes and a history line in state `waiting`; the number goes to *ret. */
int generation_add(struct generation_store *s, const void *p, size_t n, const uint8_t digest[32],
		   const struct generation_cause *c, uint64_t *ret, struct err *e);
/* Whether generation_add would have room for these bytes: they are written, and gone again. 0 or negative errno. */
int generation_try(struct generation_store *s, const void *p, size_t n, struct err *e);
/* That its line cannot be written is no failure here either. */
int generation_mark(struct generation_store *s, uint64_t number, enum generation_state state,
		    const struct generation_cause *c, struct err *e);
/* The pointer first, then the history: what boot loads is never ahead of what was agreed. Works on a full disk too. */
int generation_confirm(struct generation_store *s, uint64_t number, const struct generation_cause *c, struct err *e);
/* malloc'd bytes, owned by the caller. */
int generation_load(const struct generation_store *s, uint64_t number, uint8_t **ret, size_t *ret_n, struct err *e);
/* Whether these bytes' digest is that of the history; where it has none, anything is. */
bool generation_is(const struct generation_store *s, uint64_t number, const uint8_t digest[32]);
/* NULL when unknown. Valid until the next change of the store. */
const struct generation_record *generation_find(const struct generation_store *s, uint64_t number);
/* What was in force just before the confirmed one came into force; 0 = none. */
uint64_t generation_previous(const struct generation_store *s);
/*
 * Where a rollback goes: the last one that was in force before the confirmed one, has another digest and was not given up.
 * 0 = there is none.
 */
uint64_t generation_back(const struct generation_store *s);
/*
 * Where one goes without a second person: to what was in force before, or back from such a step; while generation `trial` (0 = none) is on
 * trial, to what that stands in for. It was approved, and confirmed; any other generation is a change like any other. 0 = there is none.
 */
uint64_t generation_step(const struct generation_store *s, uint64_t trial);
/* The one whose trial ended last, or NULL. */
const struct generation_record *generation_last_trial(const struct generation_store *s);

#endif

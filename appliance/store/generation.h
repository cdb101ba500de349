/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of sealed generations: numbered files, their history, and which one is confirmed.
 * Supervisor only; the role control has a copy of the history in memory.
 *
 * `gen-<n>.sealed` holds the sealed bytes, `history` what happened to each generation, `confirmed`
 * the number that boot loads. Every file is replaced as a whole and synced. The store never reads
 * the contents of a generation; they are verified when they are unsealed.
 */
#ifndef SEKISHO_STORE_GENERATION_H
#define SEKISHO_STORE_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/sentence.h"
#include "appliance/wire/past.h"

#define GENERATION_MAX_BYTES (256u << 20)
#define GENERATIONS_KEPT 50u
#define TURNS_KEPT 512u

const char *generation_state_name(enum generation_state s);

const char *generation_why_name(enum generation_why w);

/* The person and the reason of a change. Texts are borrowed; NULL = not given. */
struct generation_cause {
	enum generation_why why;
	const char *by, *comment;
	/* the generation that this one replaced, or that replaced this one; 0 = none */
	uint64_t other;
	const struct sentence *
		/* for a new generation: what it makes possible and impossible, compared with the
		 * generation before; NULL = not known */
		meant;
};

struct generation_record {
	uint64_t number; /* from 1 */
	uint8_t digest[32];
	uint64_t applied_ns; /* wall time */
	enum generation_state state;
	char by[BY_BYTES]; /* login of the person who applied it */
	char comment[COMMENT_BYTES];
	struct sentence meant; /* what it made possible and impossible, one sentence per line */
	/* the generation that was in force when it was applied; 0 = none, or not known */
	uint64_t before;
	/* The last change of its state. */
	enum generation_why why;
	uint64_t changed_ns;
	char changed_by[BY_BYTES];
	char changed_comment[COMMENT_BYTES];
	uint64_t other; /* as in generation_cause */
};

/* From `ns` on (wall time, as the clock showed it then) generation `number` was in force. Number 0:
 * from then on it is not known which one was. */
struct generation_turn {
	uint64_t ns, number;
};

struct generation_store {
	int dirfd; /* owned */
	/* ascending by number; one more than is kept, until the oldest is forgotten */
	struct generation_record list[GENERATIONS_KEPT + 1u];
	size_t n;
	/* the last changes of the generation in force, in order; stored with the history */
	struct generation_turn turns[TURNS_KEPT];
	size_t n_turns;
	uint64_t next;	    /* number of the next one */
	uint64_t confirmed; /* 0 = none */
	uint64_t gave_up;   /* the generation that was on trial when the box stopped; 0 = none */
	/* the history could not be read, or lacks the confirmed generation. The file was set aside;
	 * the caller reports it */
	bool damaged;
	/* it is not known which generation is confirmed. A damaged pointer was set aside; the
	 * caller reports it */
	bool lost;
	bool in_the_way; /* a damaged history that could not be set aside yet */
	bool looking;	 /* opened by generation_store_look */
	/* the history in memory is not on disk, which is full or fails (generation_save) */
	bool unsaved;
	uint32_t changes; /* how often the history has changed since it was opened */
};

/*
 * Opens (and makes) the folder `generations` in statefd. A generation that was on trial when the
 * box stopped is marked reverted, since boot loads the confirmed one. A damaged history is set
 * aside and begun anew. A damaged pointer means that nothing is confirmed; so does a missing
 * pointer when the history has a confirmed generation, because loading that one could reopen what a
 * rollback had closed. It is no failure if a line of the history cannot be written (see `unsaved`).
 * 0 or negative errno.
 */
int generation_store_open(int statefd, struct generation_store *s, struct err *e);
/* Opens the store for reading only: nothing is created, set aside, marked or written. -ENOENT
 * without a folder. */
int generation_store_look(int statefd, struct generation_store *s, struct err *e);
void generation_store_close(struct generation_store *s);
/* Writes the history if it is not on disk yet, because there may be room again. 0 or
 * negative errno. */
int generation_save(struct generation_store *s, struct err *e);
/* Writes the bytes and a history line in state `waiting`; the number goes to *ret. */
int generation_add(struct generation_store *s, const void *p, size_t n, const uint8_t digest[32],
		   const struct generation_cause *c, uint64_t *ret, struct err *e);
/* Whether generation_add would have room for these bytes: they are written and deleted again. 0 or
 * negative errno. */
int generation_try(struct generation_store *s, const void *p, size_t n, struct err *e);
/* It is no failure if the line of the history cannot be written. */
int generation_mark(struct generation_store *s, uint64_t number, enum generation_state state,
		    const struct generation_cause *c, struct err *e);
/* Confirms a generation. The pointer is written before the history, so that the next start loads
 * the confirmed generation in any case. Works on a full disk, too. */
int generation_confirm(struct generation_store *s, uint64_t number, const struct generation_cause *c, struct err *e);
/* Notes that this generation is in force from now on. It is no failure if the line of the history
 * cannot be written. */
void generation_turn(struct generation_store *s, uint64_t number);
/*
 * The generation that was in force at moment `ns`, and its span (*ret_until 0: it still is). 0 =
 * not known: `ns` is before the first turn that is kept, or in a span that the clock passed twice
 * because it was set back.
 */
uint64_t generation_then(const struct generation_store *s, uint64_t ns, uint64_t *ret_since, uint64_t *ret_until);
/* malloc'd bytes, owned by the caller. */
int generation_load(const struct generation_store *s, uint64_t number, uint8_t **ret, size_t *ret_n, struct err *e);
/* Whether this digest is the one in the history. If the history has none, every digest
 * is accepted. */
bool generation_is(const struct generation_store *s, uint64_t number, const uint8_t digest[32]);
/* NULL when unknown. Valid until the next change of the store. */
const struct generation_record *generation_find(const struct generation_store *s, uint64_t number);
/* The generation that was in force just before the confirmed one; 0 = none. */
uint64_t generation_previous(const struct generation_store *s);
/*
 * The target of a rollback: the last generation before the confirmed one that was in force, has
 * another digest and was not reverted. 0 = there is none.
 */
uint64_t generation_back(const struct generation_store *s);
/*
 * The target of a rollback that needs no second person: the generation that was in force before;
 * after such a rollback, the one that it left. While generation `trial` (0 = none) is on trial, it
 * is the generation that the trial replaced. The target has been approved and confirmed before; any
 * other generation needs an approval like every change. 0 = there is none.
 */
uint64_t generation_step(const struct generation_store *s, uint64_t trial);
/* The generation whose trial ended last, or NULL. */
const struct generation_record *generation_last_trial(const struct generation_store *s);

/* ---- the file `history` and its JSON, by which the supervisor tells control (history.c) ------ */

#define HISTORY_LINE 6144u /* some characters take two bytes when stored */
#define HISTORY_TURN 80u
#define HISTORY_MAX (HISTORY_LINE * (GENERATIONS_KEPT + 1u) + HISTORY_TURN * TURNS_KEPT)

/* Writes the whole file. s->unsaved: it is not on the disk. 0 or negative errno. */
int history_write(struct generation_store *s, struct err *e);
/* Reads the file into an empty store: its list, turns and `next`. s->damaged: the file cannot be
 * read. It is then set aside, at the latest when a new one is written. 0 or negative errno. */
int history_read(struct generation_store *s, struct err *e);
/* A new reference; NULL: no memory. */
json_t *history_json(const struct generation_store *s);
/* Reads it into an empty store. False: it is not valid, or has more than `most` generations, and
 * the store is empty. */
bool history_take(struct generation_store *s, const json_t *j, size_t most);

#endif

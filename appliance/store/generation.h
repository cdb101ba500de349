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

#define GENERATION_MAX_BYTES (256u << 20)
#define GENERATIONS_KEPT 50u

enum generation_state {
	GEN_WAITING = 0,   /* on trial: in force until it is confirmed or its time is over */
	GEN_CONFIRMED = 1, /* was confirmed, now or earlier */
	GEN_REVERTED = 2,  /* given up: not confirmed in time, failed, or rolled back from */
};

const char *generation_state_name(enum generation_state s);

struct generation_record {
	uint64_t number; /* from 1 */
	uint8_t digest[32];
	uint64_t applied_ns; /* wall time */
	enum generation_state state;
	char by[32]; /* who asked: a user name */
};

struct generation_store {
	int dirfd;			/* owned */
	struct generation_record *list; /* ascending by number; owned */
	size_t n;
	uint64_t next;	    /* number of the next one */
	uint64_t confirmed; /* 0 = none */
	uint64_t gave_up;   /* was on trial when the box stopped; 0 = none */
	bool damaged;	    /* history or pointer could not be read: said by the caller, set aside here */
};

/*
 * Opens (and makes) the folder `generations` in statefd. What was on trial when the box stopped is marked reverted: boot
 * loads the confirmed one. A damaged history is set aside and begun anew; a damaged pointer means that nothing is
 * confirmed. 0 or negative errno.
 */
int generation_store_open(int statefd, struct generation_store *s, struct err *e);
void generation_store_close(struct generation_store *s);
/* Writes the bytes and a history line in state `waiting`; the number goes to *ret. */
int generation_add(struct generation_store *s, const void *p, size_t n, const uint8_t digest[32], const char *by,
		   uint64_t *ret, struct err *e);
int generation_mark(struct generation_store *s, uint64_t number, enum generation_state state, struct err *e);
/* The pointer first, then the history: what boot loads is never ahead of what was agreed. */
int generation_confirm(struct generation_store *s, uint64_t number, struct err *e);
/* malloc'd bytes, owned by the caller. */
int generation_load(const struct generation_store *s, uint64_t number, uint8_t **ret, size_t *ret_n, struct err *e);
/* NULL when unknown. Valid until the next change of the store. */
const struct generation_record *generation_find(const struct generation_store *s, uint64_t number);
/* The newest confirmed one before the confirmed one; 0 = none. */
uint64_t generation_previous(const struct generation_store *s);

#endif

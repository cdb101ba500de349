/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What enforce keeps on the disk, as bytes that this process does not parse. A new enforce gets
 * them before any apply.
 */
#ifndef SEKISHO_SUPERVISE_PAPERS_H
#define SEKISHO_SUPERVISE_PAPERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"

struct msg;
struct reported;
struct supervisor;

enum paper {
	/* when conduits were used (enforce/matched.h): written every ten minutes, after each apply
	 * and at an orderly end */
	PAPER_USED,
	/* doors that people have opened (enforce/door_book.h): written before a change is valid. If
	 * the file cannot be read, no door is open */
	PAPER_DOORS,
	/* what people have isolated (enforce/isolations.c): written before an order is answered. If
	 * the file cannot be read, enforce isolates everything */
	PAPER_ISOLATIONS,
	/* the latest moment (store/moment.h): written at once. Also in the run folder, which does
	 * not survive a restart of the machine: the disk may be full, and what is open must stay
	 * open after a restart of the daemon */
	PAPER_CLOCK,
	PAPERS
};

struct paper_kept {
	uint8_t *bytes; /* owned; NULL = there are none */
	size_t n;
	bool unsaved;	  /* they are not on the disk */
	bool missed;	  /* the last ones could not be taken */
	uint64_t save_at; /* monotonic ns: not before */
};

void paper_open(struct supervisor *s, enum paper which); /* from the disk */
/* Sends the bytes to enforce. `id`: the order whose change they hold, so that enforce may carry it
 * out; 0 = no order. */
void paper_give(struct supervisor *s, enum paper which, uint32_t id);
/* Enforce's own bytes. False: they cannot be taken; those from before stay. */
bool paper_told(struct supervisor *s, enum paper which, struct msg *m);
/* Adds `one`, which is taken over, to the list that the next enforce gets. False: there is no
 * room. */
bool paper_add(struct supervisor *s, enum paper which, json_t *one);
/* The bytes in a memfd, for control; negative = there are none. */
int paper_memfd(const struct reported *reported, enum paper which);
void papers_give(struct supervisor *s); /* all of them, to a new enforce */
/* UINT64_MAX: whatever is not on the disk is written now. */
uint64_t papers_due(struct supervisor *s, uint64_t now);

#endif

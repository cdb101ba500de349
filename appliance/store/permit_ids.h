/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permit ids: which number each permit has on this box. Supervisor only.
 *
 * Conntrack marks outlive every process, so an id must keep its meaning for as long as a flow may carry it. A permit that
 * means the same (identity: settings, grants, rows) and lies where it lay keeps its id over generations and restarts; one that
 * lies elsewhere keeps it when whoever asks knows that it carries the other on (policy/ir/carry.c); else it gets an id that
 * nothing remembered here has. What is remembered is on disk before the kernel hears of it.
 */
#ifndef SEKISHO_STORE_PERMIT_IDS_H
#define SEKISHO_STORE_PERMIT_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"

#define PERMIT_IDS_SPARE 256u /* after a start these are left out: they may have been given out without being written */
#define PERMIT_IDS_KEPT 65536u /* identities no longer in force that are remembered at most */

struct permit_id {
	uint8_t identity[32];
	uint8_t place[32]; /* where it lay when it was last assigned */
	uint32_t id;
	uint64_t used; /* serial of the last assignment that used it */
};

/* Start from zero bytes. */
struct permit_ids {
	struct permit_id *list; /* sorted by id; owned */
	size_t n;
	uint32_t next;	 /* where the search for a free id starts; 0 = from 1 */
	uint64_t serial; /* assignments so far */
	bool unsaved;	 /* something was given out, or has moved, that is not on disk */
	uint32_t given;	 /* how many were given out since it was written */
};

/*
 * Reads the folder's file. Absent: empty, ids start at 1. Damaged: empty, *damaged is set, and ids start at a random
 * place, because flows in the kernel may still carry the forgotten ones. 0, or negative errno when it cannot be read.
 */
int permit_ids_load(int dirfd, struct permit_ids *p, bool *damaged, struct err *e);
/* A permit that needs an id. */
struct permit_wanted {
	const uint8_t *identity, *place; /* 32 bytes each */
	uint32_t keep;			 /* the id that it carries on, 0 = none */
};

/*
 * One id for each, in order, into ids[n]. Equal ones within one call get different ids. -ENOSPC when all ids are taken;
 * nothing has changed then.
 */
int permit_ids_assign(struct permit_ids *p, size_t n, const struct permit_wanted *wanted, uint32_t *ids, struct err *e);
/*
 * Writes when something was given out or has moved that is not on disk: which of the known ones were used last can wait, so
 * that a start needs no room. 0 or negative errno.
 */
int permit_ids_save(int dirfd, struct permit_ids *p, struct err *e);
void permit_ids_free(struct permit_ids *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permit ids: which number each permit has on this box. Supervisor only.
 *
 * Conntrack marks outlive every process, so an id must keep its meaning for as long as a flow may
 * carry it. A permit with the same identity (settings, grants, rows) that covers the same packets
 * keeps its id over generations and restarts. A permit that has changed in any of these keeps its
 * id only if the caller says so (permit_wanted.keep, policy/ir/carry.c). Any other permit gets an
 * id that no entry of the list has. An id is on disk before the kernel gets it.
 */
#ifndef SEKISHO_STORE_PERMIT_IDS_H
#define SEKISHO_STORE_PERMIT_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"

/* ids that are skipped after a start, because they may have been assigned but not stored */
#define PERMIT_IDS_SPARE 256u
/* largest number of remembered identities that are no longer in force */
#define PERMIT_IDS_KEPT 65536u

struct permit_id {
	uint8_t identity[32];
	uint8_t place[32]; /* digest of the packets that it covered at its last assignment */
	uint32_t id;
	uint64_t used; /* serial of the last assignment that used it */
};

/* Start from zero bytes. */
struct permit_ids {
	struct permit_id *list; /* sorted by id; owned */
	size_t n;
	uint32_t next;	 /* where the search for a free id starts; 0 = from 1 */
	uint64_t serial; /* assignments so far */
	bool unsaved;	 /* an id was assigned, or a permit moved, and this is not on disk yet */
	uint32_t given;	 /* how many ids were assigned since the file was last written */
};

/*
 * Reads the folder's file. Absent: empty, ids start at 1. Damaged: empty, *damaged is set, and ids
 * start at a random place, because flows in the kernel may still carry the forgotten ones. 0, or
 * negative errno when it cannot be read.
 */
int permit_ids_load(int dirfd, struct permit_ids *p, bool *damaged, struct err *e);
/* A permit that needs an id. */
struct permit_wanted {
	const uint8_t *identity, *place; /* 32 bytes each */
	uint32_t keep;			 /* the id that it continues, 0 = none */
};

/*
 * Writes an id for each wanted permit, in order, to ids[n]. Equal permits within one call get
 * different ids. -ENOSPC when all ids are taken; nothing has changed then.
 */
int permit_ids_assign(struct permit_ids *p, size_t n, const struct permit_wanted *wanted, uint32_t *ids, struct err *e);
/* Writes the ids that permit_ids_assign would write, but gives none out. */
int permit_ids_try(const struct permit_ids *p, size_t n, const struct permit_wanted *wanted, uint32_t *ids,
		   struct err *e);
/*
 * Writes the file if an id was given out or a permit moved. The use of known ids alone does not
 * cause a write, so a start needs no room on the disk. 0 or negative errno.
 */
int permit_ids_save(int dirfd, struct permit_ids *p, struct err *e);
void permit_ids_free(struct permit_ids *p);

#endif

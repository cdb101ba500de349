/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a question is, told while it is worked at, to whoever wanted to hear it. Some words a second, none of them waited for: who does not read them
 * misses them. Outside of telling_begin and telling_end, as when this role looks by itself, nothing is told.
 */
#ifndef SEKISHO_ENFORCE_TELLING_H
#define SEKISHO_ENFORCE_TELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/progress.h"

struct enforce;

struct telling {
	bool on;
	uint32_t id;
	enum progress_stage stage;
	uint32_t done, of; /* of the stage; 0 = not known */
	uint64_t again_ns; /* monotonic: nothing is said before */
};

void telling_begin(struct enforce *f, uint32_t id, bool wanted);
void telling_end(struct enforce *f);
/* From now on this is done; said when there is time for it. */
void telling_stage(struct enforce *f, enum progress_stage stage);
/* So much of it; says it when it is time. Cheap: long work calls it often. */
void telling_count(struct enforce *f, size_t done, size_t of);
/* The same by what f->net has read so far. */
void telling_read(struct enforce *f);

#endif

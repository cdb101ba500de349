/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports the progress of a question to an asker who wanted such reports. Sends a few messages a
 * second and never waits: an asker who does not read them loses them. Nothing is reported outside
 * of telling_begin and telling_end, for instance when enforce compares the rules by itself.
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
	uint64_t again_ns; /* monotonic: no message before */
};

void telling_begin(struct enforce *f, uint32_t id, bool wanted);
void telling_end(struct enforce *f);
/* The work enters this stage; reported when the next message is due. */
void telling_stage(struct enforce *f, enum progress_stage stage);
/* `done` of `of` is done; reported when the next message is due. Cheap: long work calls
 * it often. */
void telling_count(struct enforce *f, size_t done, size_t of);
/* As telling_count, with what f->net has read so far. */
void telling_read(struct enforce *f);

#endif

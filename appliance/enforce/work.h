/* SPDX-License-Identifier: Apache-2.0 */
/* Ends work that nobody waits for, and reports its progress. */
#ifndef SEKISHO_ENFORCE_WORK_H
#define SEKISHO_ENFORCE_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

struct enforce;

/* Messages that arrive during long work, and whether the work has to end. */
#define HEARING_MOST 32u

struct hearing {
	/* a ring of messages received and not handled yet. A message is never moved, because its
	 * texts point into it */
	struct msg kept[HEARING_MOST];
	size_t first, n;
	int broken; /* the channel failed: negative errno */
	bool working, stop;
	/* `way`: the present work makes way for a person's order; `urgent`: such an order came;
	 * `gone`: nobody waits for the work any more */
	bool way, urgent, gone;
	uint32_t work;	   /* the id of the question that it answers */
	uint64_t again_ns; /* monotonic: when to look for messages again */
	uint64_t stopped;  /* how often work ended because nobody waited */
};

/* The progress of the present question, if its asker wants to be told. */
struct telling {
	bool on;
	uint32_t id;
	enum progress_stage stage;
	uint32_t done, of; /* `done` of `of` entries of the stage; 0 = not known */
	uint64_t again_ns; /* monotonic: send no message before */
};

/*
 * Long work is ended when nobody waits for it, and the messages that arrive meanwhile are kept.
 *
 * Begins work on a question. The work may then be interrupted; with `way` also by a person's order
 * about an isolation or a door. False: the work must not be begun.
 */
bool stop_begin(struct enforce *f, uint32_t id, bool way);
/* To be called for interrupted work before stop_end. True: the work made way for an order, so its
 * question `m` must not be answered now. It was queued again, behind the messages that came
 * meanwhile. `m` must have no texts and no descriptors. */
bool stop_made_way(struct hearing *hearing, const struct msg *m);
/* `left_off`: the work was interrupted. This is counted if the reason is that nobody waits for it
 * any more. */
void stop_end(struct hearing *hearing, bool left_off);
/* Whether the present work has to be interrupted. Always false outside of stop_begin and stop_end.
 * Cheap: long work calls it often. */
bool stop_asked(struct enforce *f);
/* Whether messages were received meanwhile that stop_serve has to handle. */
bool stop_keeps(const struct hearing *hearing);
/* As msg_serve, but handles the messages that were received during long work first, in their
 * order. */
int stop_serve(struct enforce *f, msg_handler *const handlers[MSG_TYPE_COUNT]);
/* Between telling_begin and telling_end, the progress of a question is reported to an asker who
 * wanted reports: a few messages a second. Reporting never waits: an asker who does not read the
 * messages loses them. When enforce compares the rules by itself, nothing is reported. */
void telling_begin(struct enforce *f, uint32_t id, bool wanted);
void telling_end(struct telling *telling);
/* The work enters this stage; reported when the next message is due. */
void telling_stage(struct enforce *f, enum progress_stage stage);
/* `done` of `of` is done; reported when the next message is due. Cheap: long work calls
 * it often. */
void telling_count(struct enforce *f, size_t done, size_t of);
/* As telling_count, with the numbers of what f->kernel.net has read so far and will read. */
void telling_read(struct enforce *f);

#endif

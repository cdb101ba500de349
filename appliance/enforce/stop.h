/* SPDX-License-Identifier: Apache-2.0 */
/* Long work that ends early when nobody waits for it, and the messages that arrive meanwhile. */
#ifndef SEKISHO_ENFORCE_STOP_H
#define SEKISHO_ENFORCE_STOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

#define HEARING_MOST 32u

struct enforce;

struct hearing {
	/* messages received and not handled yet. They are in a ring and are never moved, because
	 * their texts point into the message */
	struct msg kept[HEARING_MOST];
	size_t first, n;
	int broken; /* the channel failed: negative errno */
	bool working, stop;
	/* about the present work: `way`: it makes way for a person's order; `urgent`: such an order
	 * came; `gone`: nobody waits for it */
	bool way, urgent, gone;
	uint32_t work;	   /* the question's id */
	uint64_t again_ns; /* monotonic: when to look for messages again */
	uint64_t stopped;  /* how often work ended because nobody waited */
};

/* Begins work on a question, which may then be interrupted. `way`: also by a person's order about
 * an isolation or a door. False: it must not be begun. */
bool stop_begin(struct enforce *f, uint32_t id, bool way);
/* For interrupted work, before stop_end: whether it made way for an order. Then the question, which
 * has no texts and no descriptors, is queued again after the messages that came meanwhile, and must
 * not be answered now. */
bool stop_made_way(struct enforce *f, const struct msg *m);
/* `left_off`: the work was interrupted, which is counted if somebody had asked for it. */
void stop_end(struct enforce *f, bool left_off);
/* Whether the present work has to be interrupted. Always false outside of stop_begin and stop_end.
 * Cheap: long work calls it often. */
bool stop_asked(struct enforce *f);
/* Whether messages were received meanwhile that stop_serve has to handle. */
bool stop_keeps(const struct enforce *f);
/* Handles the next message, in the order of arrival; otherwise as msg_serve. */
int stop_serve(struct enforce *f, msg_handler *const handlers[MSG_TYPE_COUNT]);

#endif

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
	/* messages received and not handled yet: a ring, so that none is moved, because their texts
	 * lie in the message itself */
	struct msg kept[HEARING_MOST];
	size_t first, n;
	int broken; /* the channel failed: negative errno */
	bool working, stop;
	/* of the present work: it makes way for a person's order; such an order came; nobody waits
	 * for it any more */
	bool way, urgent, gone;
	uint32_t work;	   /* the question's id */
	uint64_t again_ns; /* monotonic: when to look for messages again */
	uint64_t stopped;  /* how often work ended because nobody waited */
};

/* Begins work on this question, which may be abandoned. `way`: also for an isolation or a door that
 * a person orders. False: it is to be left off at once. */
bool stop_begin(struct enforce *f, uint32_t id, bool way);
/* Of work that was left off, before stop_end: it made way. The question, which has no texts and no
 * descriptors, is asked again behind what was said meanwhile; nothing is to be answered now. */
bool stop_made_way(struct enforce *f, const struct msg *m);
/* `left_off`: the work was abandoned; counted if somebody had asked for that. */
void stop_end(struct enforce *f, bool left_off);
/* Whether the present work is to be left off. Always false outside of stop_begin and
 * stop_end. Cheap: long work calls it often. */
bool stop_asked(struct enforce *f);
/* Whether messages were received meanwhile that stop_serve has to handle. */
bool stop_keeps(const struct enforce *f);
/* Handles the next message, in the order of arrival; otherwise as msg_serve. */
int stop_serve(struct enforce *f, msg_handler *const handlers[MSG_TYPE_COUNT]);

#endif

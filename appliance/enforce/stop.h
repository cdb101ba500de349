/* SPDX-License-Identifier: Apache-2.0 */
/* Work that ends when nobody waits for it, and what is said meanwhile. */
#ifndef SEKISHO_ENFORCE_STOP_H
#define SEKISHO_ENFORCE_STOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

#define HEARING_MOST 32u

struct enforce;

struct hearing {
	struct msg kept
		[HEARING_MOST]; /* heard and not handled: a ring, so that none is moved, whose texts lie in itself */
	size_t first, n;
	int broken; /* the channel, negative errno */
	bool working, stop;
	uint32_t work;	   /* the question's id */
	uint64_t again_ns; /* monotonic: when to hear again */
	uint64_t stopped;  /* works that ended because nobody waited */
};

/* This question is worked at from now on, and nothing is lost where it ends early. False: nobody waits for it already. */
bool stop_begin(struct enforce *f, uint32_t id);
/* `left_off`: it ended early, which counts where somebody had asked for that. */
void stop_end(struct enforce *f, bool left_off);
/* Nobody waits any more for what is done now. Always false outside of stop_begin and stop_end. Cheap: long work calls it often. */
bool stop_asked(struct enforce *f);
/* Something was heard meanwhile that stop_serve has to handle. */
bool stop_keeps(const struct enforce *f);
/* The next message, in the order in which they came: as msg_serve. */
int stop_serve(struct enforce *f, msg_handler *const handlers[MSG_TYPE_COUNT]);

#endif

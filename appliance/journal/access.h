/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who read which records: from single questions to records of that. Journal role only; pure, with a fixed amount of memory.
 *
 * What one person asks for in the same words from the same place is one reading: its first record comes two seconds after its first question, further ones
 * each five minutes while it goes on, each with how many questions there were and how many records came back. Who only waits for
 * news, and finds none but records of readings, makes no further one until the end; so reading the trail of reading never feeds itself.
 */
#ifndef SEKISHO_JOURNAL_ACCESS_H
#define SEKISHO_JOURNAL_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/wire/event.h"
#include "appliance/wire/event_filter.h"
#include "appliance/wire/msg.h"

#define ACCESS_SLOTS 64u
#define ACCESS_EACH 8u /* different questions of one reader that are told apart; more are told together */
#define ACCESS_FIRST_NS 2000000000ull
#define ACCESS_AGAIN_NS 300000000000ull

struct access_reader {
	bool web;
	struct addr from; /* family 0 = at the machine */
	char by[USER_BY];
};

struct access_slot {
	bool used;
	struct access_reader who;
	char what[EVENT_TEXT];
	uint64_t due_ns;	 /* monotonic */
	uint64_t wall_ns;	 /* of the last question */
	uint64_t reads, records; /* not told yet */
	bool asked, fresh;	 /* since it was due last: at all, and more came back than records of readings */
	bool told;		 /* once, so it goes on */
};

/* Start from zero bytes. */
struct access {
	struct access_slot slots[ACCESS_SLOTS];
};

/* What was asked, in the words of the command line; "" where nothing was chosen. */
void access_filter_text(const struct event_filter *f, char out[EVENT_TEXT]);
/*
 * A question was answered with so many records, `fresh` of which tell of other things than readings. True: *ret is to be written now, since room was made.
 */
bool access_in(struct access *a, const struct access_reader *who, const char *what, uint64_t records, uint64_t fresh,
	       uint64_t now_ns, uint64_t wall_ns, struct event *ret);
/* A record that is due (or any, with `all`). Call until it says false. */
bool access_out(struct access *a, uint64_t now_ns, bool all, struct event *ret);
/* When the next may be due; UINT64_MAX = none. */
uint64_t access_due(const struct access *a);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records who has read which records. Single questions are combined. Journal role only; pure, with
 * a fixed amount of memory.
 *
 * Equal questions of one person from one address are one reading. The first record of a reading
 * comes two seconds after the first question, and further ones every five minutes while it
 * continues. Each has the number of questions and of returned records. While a reader who waits for
 * new records gets only records of readings, no further record is made until the reading ends:
 * otherwise each record of a reading would cause the next.
 */
#ifndef SEKISHO_JOURNAL_ACCESS_H
#define SEKISHO_JOURNAL_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/wire/event.h"
#include "appliance/wire/filter.h"
#include "appliance/wire/said.h"

#define ACCESS_SLOTS 64u
/* different questions of one reader that are recorded separately; further ones are recorded
 * together */
#define ACCESS_EACH 8u
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
	uint64_t wall_ns;	 /* wall ns of the last question */
	uint64_t reads, records; /* not recorded yet: questions, returned records */
	/* since the last record of this reading: `asked`: there was a question; `fresh`: a question
	 * returned records that are not about readings */
	bool asked, fresh;
	bool told; /* the reading has been recorded once, and continues */
};

/* Start from zero bytes. */
struct access {
	struct access_slot slots[ACCESS_SLOTS];
};

/* Writes the question as options of the command line; "" where there is no filter. */
void access_filter_text(const struct event_filter *f, char out[EVENT_TEXT]);
/*
 * Notes a question that was answered with `records` records, of which `fresh` are not about
 * readings. True: *ret is to be written now, because room had to be made.
 */
bool access_in(struct access *a, const struct access_reader *who, const char *what, uint64_t records, uint64_t fresh,
	       uint64_t now_ns, uint64_t wall_ns, struct event *ret);
/* The next record that is due; `all`: the next one, due or not. Call until it returns false. */
bool access_out(struct access *a, uint64_t now_ns, bool all, struct event *ret);
/* When the next record may be due; UINT64_MAX = none. */
uint64_t access_due(const struct access *a);

#endif

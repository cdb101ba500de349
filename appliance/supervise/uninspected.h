/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that were to be inspected and were not: an alarm (`uninspected` of the status), and a record when it begins and when it is over. What is one says unserved.h;
 * read are the kernel's table of queues, what gates have decided (wire/pulse.h), and what enforce tells of the kernel's counters. It is of this daemon alone: a start
 * begins anew.
 */
#ifndef SEKISHO_SUPERVISE_UNINSPECTED_H
#define SEKISHO_SUPERVISE_UNINSPECTED_H

#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/supervise/unserved.h"
#include "appliance/wire/msg.h"

struct supervisor;

int uninspected_open(struct supervisor *s, struct err *e);
/* Enforce has said what the kernel's counters are. */
void uninspected_told(struct supervisor *s, const struct msg_unanswered *m);
void uninspected_due(struct supervisor *s, uint64_t now);
uint64_t uninspected_next(const struct supervisor *s); /* monotonic ns */
/* For `status` (docs/json.md). */
json_t *json_uninspected(const struct supervisor *s);

/*
 * The tap hears nothing while packets pass that the kernel was to tell it of: an alarm (`unheard` of the status), and a record when it begins and when it is over. What is one
 * says unserved.h; how many packets there were enforce tells from the kernel's counters, and that it hears the tap. It is of this daemon alone: a start begins anew.
 */

struct supervisor;

struct unheard {
	bool told;	  /* enforce has said what the kernel has counted: ... */
	uint64_t logged;  /* ... so many, as last told */
	uint64_t packets; /* since the last look */
	bool heard;	  /* the tap has said that it heard, since the last look */
	struct deaf deaf;
	uint64_t look_at; /* monotonic ns */
};

/* Enforce has said how many packets the kernel has counted of which it tells the tap. */
void unheard_logged(struct supervisor *s, uint64_t packets);
/* The tap has said that it hears. */
void unheard_heard(struct supervisor *s);
void unheard_due(struct supervisor *s, uint64_t now);
uint64_t unheard_next(const struct supervisor *s); /* monotonic ns */
/* For `status` (docs/json.md). */
json_t *json_unheard(const struct supervisor *s);

#endif

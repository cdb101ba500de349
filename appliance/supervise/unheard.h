/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap hears nothing while packets pass that the kernel was to tell it of: an alarm (`unheard` of the status), and a record when it begins and when it is over. What is one
 * says deaf.h; how many packets there were enforce tells from the kernel's counters, and that it hears the tap. It is of this daemon alone: a start begins anew.
 */
#ifndef SEKISHO_SUPERVISE_UNHEARD_H
#define SEKISHO_SUPERVISE_UNHEARD_H

#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/supervise/deaf.h"

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

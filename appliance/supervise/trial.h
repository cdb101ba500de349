/* SPDX-License-Identifier: Apache-2.0 */
/* A generation on trial: unless a person confirms it, the confirmed one comes back. */
#ifndef SEKISHO_SUPERVISE_TRIAL_H
#define SEKISHO_SUPERVISE_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/sentence.h"

struct trial {
	uint64_t number; /* generation on trial, 0 = none */
	/* its end by the clock at its beginning; use trial_until() to show it */
	uint64_t until_wall;
	uint64_t until_boot;   /* the same by clock_boot_ns() */
	uint64_t proven;       /* what was heard during it (policy/ir/needs.h) */
	bool sources;	       /* the confirmed policy names time sources */
	struct sentence error; /* why a trial that is over could not be ended yet */
};

/* Whether a policy is on trial, and time sources of the confirmed one decide about the clock. */
static inline bool trial_sources(const struct trial *t)
{
	return t->number != 0 && t->sources;
}

#endif

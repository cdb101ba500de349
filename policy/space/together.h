/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of several rights hold together at some moment, and in which order the kernel asks them.
 *
 * Between two edges of time a policy is constant. Of rights that begin and end by hours, only some sets ever hold together: those are
 * found by walking the edges around every day that somebody named and over an ordinary week, which shows all the others. Doors open and
 * shut at any moment, so each of these sets is also one with any of its doors shut. Each set has a
 * layer; one that holds more is asked before one that holds less, and two that may both stand at one moment never share a layer.
 * Pure; what is returned lives in the arena given.
 */
#ifndef SEKISHO_POLICY_SPACE_TOGETHER_H
#define SEKISHO_POLICY_SPACE_TOGETHER_H

#include "appliance/base/arena.h"
#include "appliance/wire/hours.h"

#define TOGETHER_MAX 32u  /* rights */
#define TOGETHER_SETS 64u /* of them that are looked at */

struct together {
	uint32_t *sets;	 /* bit n: the n-th right; none is empty */
	uint8_t *layers; /* from 1 */
	size_t n;
	bool too_many; /* more sets or layers than there is room for */
};

/* Rights that have no hours, no start and no end are not among them: they always hold. False when memory is out. */
bool together_make(const struct times *list, size_t n, const struct time_zone *z, unsigned layers, struct arena *a,
		   struct together *ret);

#endif

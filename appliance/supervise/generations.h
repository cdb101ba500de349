/* SPDX-License-Identifier: Apache-2.0 */
/* The generations: that in force, that on trial, those on the disk, the ids of their
 * permits, and whether the kernel has them. */
#ifndef SEKISHO_SUPERVISE_GENERATIONS_H
#define SEKISHO_SUPERVISE_GENERATIONS_H

#include "appliance/store/generation.h"
#include "appliance/store/permit_ids.h"
#include "appliance/supervise/loading.h"
#include "appliance/supervise/trial.h"

struct policy;

struct generations {
	struct policy *now; /* in force, never NULL once started */
	struct loading loading;
	struct trial trial;
	struct generation_store store;
	struct permit_ids ids;
};

#endif

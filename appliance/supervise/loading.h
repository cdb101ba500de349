/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the kernel has what should be in force, and when that is tried again. */
#ifndef SEKISHO_SUPERVISE_LOADING_H
#define SEKISHO_SUPERVISE_LOADING_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/sentence.h"

struct loading {
	bool booted; /* the policy in force was loaded at least once since the start */
	/* the operation that enforce was told to stop but has not stopped yet, 0 = none */
	uint32_t enforce_leaves;
	bool adopted; /* this enforce has read the rules in the kernel */
	/* monotonic ns: when to try again; 0 = not necessary */
	uint64_t again;
	/* monotonic ns: workers that all refuse the table in force are not ended earlier */
	uint64_t refusing_again;
	bool incomplete;       /* a device is missing, or could not be set */
	struct sentence error; /* why the last attempt failed */
	/* why the confirmed generation could not be read, until another is in force */
	struct sentence store_error;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in: from whom, what is joined, and what each may cause. */
#ifndef SEKISHO_JOURNAL_INTAKE_H
#define SEKISHO_JOURNAL_INTAKE_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/journal/merge.h"
#include "appliance/journal/share.h"
#include "appliance/wire/role.h"

#define SOURCES 48u

struct source {
	int fd;
	enum role role;
	uint32_t index;
};

struct intake {
	struct source sources[SOURCES];
	size_t n_sources;
	struct merge merge;
	struct shares shares;
	uint64_t lost;	    /* records that other roles could not send */
	uint64_t malformed; /* messages that are invalid, or not allowed for the role */
};

#endif

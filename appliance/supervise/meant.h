/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy makes possible and impossible, shortened for history and record. Control gets all
 * of it from the compile role, for the answer. */
#ifndef SEKISHO_SUPERVISE_MEANT_H
#define SEKISHO_SUPERVISE_MEANT_H

#include <stdint.h>

#include "appliance/base/sentence.h"

struct msg_compiled;
struct supervisor;

struct meant {
	/* the first sentences, one per line, and the number of further ones */
	struct sentence brief;
	unsigned said; /* how many of these lines are sentences */
	uint32_t others;
};

/* Reads the short form from the memfd of the compiler's answer. */
void meant_take(struct meant *m, int fd, const struct msg_compiled *c);
/* Records that the policy was applied, with the first sentences and a count, in English; readers of
 * records translate them (mgmt/words/event.h). */
void meant_record(struct supervisor *s, uint64_t number, const struct meant *m);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy makes possible and impossible, as the compile role told it: whole for the answer, in short for history and record. */
#ifndef SEKISHO_SUPERVISE_MEANT_H
#define SEKISHO_SUPERVISE_MEANT_H

#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/base/sentence.h"

struct supervisor; /* supervise.h */

#define MEANT_LINES 3u /* sentences of the short form */

struct meant {
	json_t *all;	       /* the sentences; owned, NULL = they are not known */
	uint64_t more;	       /* left out */
	struct sentence brief; /* the first of them, a line each, and how many more */
};

/* What lies in the memfd. `more`: as the role says. */
void meant_take(struct meant *m, int fd, uint32_t more);
/* "meaning" and "more_meaning" of an answer. */
void meant_json(const struct meant *m, json_t *answer);
/* That it was applied: the first sentences and a count, in English; whoever reads them says them in his language (mgmt/words/refusal.h). */
void meant_record(struct supervisor *s, uint64_t number, const struct meant *m);

#endif

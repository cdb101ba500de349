/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control/overdue.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "appliance/base/sha256.h"

void overdue_day(uint64_t seconds, char out[OVERDUE_DAY])
{
	time_t t = (time_t)seconds;
	struct tm utc;

	if (gmtime_r(&t, &utc) == NULL || strftime(out, OVERDUE_DAY, "%Y-%m-%d", &utc) == 0)
		snprintf(out, OVERDUE_DAY, "%s", "");
}

struct overdue overdue_find(const struct ir *ir, uint64_t now, json_t *names)
{
	struct overdue ret = { .first = "" };
	char today[OVERDUE_DAY];

	overdue_day(now, today);
	for (uint32_t i = 0; i < ir->n_conduits; i++) {
		const struct ir_conduit *c = &ir->conduits[i];

		/* Days are written in one form, so that their order is that of the texts. On its day a review is not overdue. */
		if (*c->review_by == '\0' || strcmp(c->review_by, today) >= 0 || (c->until != 0 && c->until <= now))
			continue;
		if (ret.n++ < OVERDUE_SHOWN && names != NULL)
			(void)json_array_append_new(names, json_pack("{s:o, s:o, s:o, s:o}", "conduit",
								     json_text(c->name), "label", json_text(c->label),
								     "owner", json_text(c->owner), "review_by",
								     json_text(c->review_by)));
		if (*ret.first == '\0' || strcmp(c->review_by, ret.first) < 0)
			ret.first = c->review_by;
		sha256_pair(ret.digest, sizeof(ret.digest), c->name, strlen(c->name) + 1, ret.digest);
		sha256_pair(ret.digest, sizeof(ret.digest), c->review_by, strlen(c->review_by), ret.digest);
	}
	return ret;
}

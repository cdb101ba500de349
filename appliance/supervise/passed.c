/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the tap hears of sessions that conduits let through: as the policy in force says, on trial as well. */
#include "appliance/supervise/passed.h"

#include "appliance/supervise/supervise.h"
#include "appliance/tap/session.h"

json_t *passed_json(const struct supervisor *s)
{
	int heard = s->passed_fd < 0 ? -1 : tap_sessions_heard(s->passed_fd);

	return heard < 0 ? json_null() : json_boolean(heard);
}

bool passed_differs(const struct supervisor *s)
{
	return s->passed_fd >= 0 && tap_sessions_heard(s->passed_fd) != (int)s->now->ir->record_passed;
}

void passed_follow(struct supervisor *s)
{
	struct err e = { 0 };

	/* Before the tap's first start there is nothing to set. */
	if (s->passed_fd < 0 || tap_sessions_hear(s->passed_fd, s->now->ir->record_passed, &e) == 0)
		return;
	say(s, M_PASSED_NOT_HEARD, e.text);
}

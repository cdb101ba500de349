/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A review of the records, signed with the name of an account: who reviewed them and when, the
 * period of the records, and the result. The account must have the right and not be disabled. The
 * record also says whether root typed the name at the machine, or from which address the review was
 * signed over the web.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "appliance/accounts/desk.h"
#include "appliance/wire/duty.h"

#define STAMP 24

static bool stamp(uint64_t seconds, char out[STAMP])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	return seconds <= INT32_MAX * 4ull && gmtime_r(&t, &tm) != NULL &&
	       strftime(out, STAMP, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}

void desk_review(struct desk *d, uint32_t id, const struct msg_review *m, struct moment now)
{
	char name[LOGIN_NAME + 1], by[USER_BY + 1], since[STAMP], until[STAMP], range[2 * STAMP];
	struct addr from = desk_from(m->family, m->from);
	const struct account *a;

	desk_copy_field(name, m->name, LOGIN_NAME);
	desk_copy_field(by, m->by, USER_BY);
	a = book_account(&d->book, name);
	if (a == NULL) {
		desk_refuse(d, id, ANSWER_NO, M_USER_UNKNOWN, text_is_name(name) ? name : "?");
		return;
	}
	if (a->disabled || !duty_may(a->duties, RIGHT_REVIEW)) {
		desk_refuse(d, id, ANSWER_NO, M_REVIEW_MAY_NOT, a->name);
		return;
	}
	if (m->since >= m->until || m->until > now.wall_s || !stamp(m->since, since) || !stamp(m->until, until)) {
		desk_refuse(d, id, ANSWER_INVALID, M_REVIEW_RANGE);
		return;
	}
	if (!text_is_plain(m->note, REVIEW_NOTE) || (m->findings != 0 && *m->note == 0)) {
		desk_refuse(d, id, ANSWER_INVALID, M_REVIEW_NOTE, REVIEW_NOTE);
		return;
	}
	snprintf(range, sizeof(range), "%s/%s", since, until);
	desk_event(d, m->findings != 0 ? ACCOUNT_REVIEWED_FOUND : ACCOUNT_REVIEWED, from.family != 0 ? &from : NULL,
		   a->name, range, *m->note != 0 ? m->note : NULL, by, 1);
	desk_answer(d, id, ANSWER_YES,
		    json_pack("{s:o, s:o, s:s, s:s, s:s}", "name", json_text(a->name), "full_name", json_text(a->full),
			      "from", since, "until", until, "result", m->findings != 0 ? "findings" : "none"));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Where reports of the command line get their facts (mgmt/report/answers.h): from the box, or
 * from a file that was kept. */
#ifndef SEKISHO_MGMT_CLI_REPORT_FACTS_H
#define SEKISHO_MGMT_CLI_REPORT_FACTS_H

#include "appliance/base/json.h"
#include "mgmt/cli/cli.h"
#include "mgmt/report/answers.h"

#define FACTS_JOURNAL "/var/lib/sekisho/journal"

struct facts_wish {
	const char *journal; /* the record folder; NULL = the records are not verified */
	bool texts;	     /* keep the policy's texts and the sessions, too */
	/* for everything together; what was not answered by then is left out and said to be */
	unsigned seconds;
};

/*
 * Whatever the box says by then; where no daemon answers, what sekishod itself reads of `status`
 * and `effective`, and of the rest why it is not there. NULL without memory.
 */
json_t *facts_gather(struct cli *c, const struct facts_wish *wish);
/* Asks the box. NULL when there is none to be asked, which was said; *ret_status. */
json_t *facts_take(struct cli *c, const struct facts_wish *wish, int *ret_status);
/* From a file. NULL after saying what is wrong with it. */
json_t *facts_read(struct cli *c, const char *file, int *ret_status);

/*
 * Calls `each` for every event from `since` up to, not with, `until` (both as in the events
 * themselves): of those that were kept, or else of the box. False: they could not be read, which
 * was said, and *ret_status.
 */
bool facts_events(struct cli *c, const json_t *facts, const char *since, const char *until,
		  void (*each)(void *ctx, const json_t *event), void *ctx, int *ret_status);

#endif

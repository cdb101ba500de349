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
	const char *journal; /* the record folder; NULL = records are not verified */
	bool texts;	     /* also keep the policy's texts and the sessions */
	/* time for all questions together; later answers are left out and listed as missing */
	unsigned seconds;
};

/*
 * Collects the facts from the box. Without a daemon, sekishod itself reads `status` and
 * `effective`; for the other facts, the reason why they are missing is kept. NULL without memory.
 */
json_t *facts_gather(struct cli *c, const struct facts_wish *wish);
/* Asks the box. NULL: no box can be asked; the reason was printed, and *ret_status is set. */
json_t *facts_take(struct cli *c, const struct facts_wish *wish, int *ret_status);
/* Reads a file. NULL: it is invalid; the reason was printed. */
json_t *facts_read(struct cli *c, const char *file, int *ret_status);

/*
 * Calls `each` for every event from `since` (inclusive) to `until` (exclusive), both in the form of
 * an event's time. The events come from the stored facts, or else from the box. False: they could
 * not be read; the reason was printed, and *ret_status is set.
 */
bool facts_events(struct cli *c, const json_t *facts, const char *since, const char *until,
		  void (*each)(void *ctx, const json_t *event), void *ctx, int *ret_status);

#endif

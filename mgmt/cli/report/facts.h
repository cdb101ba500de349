/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reports are made of: the box's own answers, each with the moment at which it was given, or
 * why there is none. One object of JSON, so that it can be
 * kept, handed to an auditor, and read again where there is no box:
 *
 *   {"product":"sekisho-facts","form":1,"version","host","made":"<time>",
 *    "answers":{"status":{"taken":"<time>","answer":{...}} or {"taken":"<time>","why":"..."},...},
 *    "events":[...]}
 *
 * `events` only where a period was asked for and kept. Answers are those of docs/json.md; beside
 * them `journal` (what `journal verify` says of the record folder here), `model` (what the texts of
 * the policy in force say) and `platform` (what the product runs on, platform.c).
 */
#ifndef SEKISHO_MGMT_CLI_REPORT_FACTS_H
#define SEKISHO_MGMT_CLI_REPORT_FACTS_H

#include "appliance/base/json.h"
#include "mgmt/cli/cli.h"

#define FACTS_FORM 1
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

const json_t *facts_answer(const json_t *facts, const char *name); /* NULL: there is none */
const char *facts_taken(const json_t *facts, const char *name);	   /* "" = it was not asked */
const char *facts_why(const json_t *facts, const char *name);

/*
 * Calls `each` for every event from `since` up to, not with, `until` (both as in the events
 * themselves): of those that were kept, or else of the box. False: they could not be read, which
 * was said, and *ret_status.
 */
bool facts_events(struct cli *c, const json_t *facts, const char *since, const char *until,
		  void (*each)(void *ctx, const json_t *event), void *ctx, int *ret_status);

/*
 * What the product runs on, and until when its maker supports that: os-release(5), and Debian's own
 * list of its releases (the package distro-info-data). Both may be absent or say anything; what
 * they do not say is "".
 */

#define PLATFORM_OS_RELEASE "/etc/os-release"
#define PLATFORM_RELEASES "/usr/share/distro-info/debian.csv"

/*
 * {"name","release","kernel","security_until":"YYYY-MM-DD","lts_until":"YYYY-MM-DD"}, a new
 * reference of the caller; NULL without memory. The kernel is the one that runs here.
 */
json_t *platform_of(const char *os_release, const char *releases);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reports are made of: the box's own answers, each with the moment at which it was given, or
 * why there is none. One object of JSON, so that it can be kept, handed to an auditor, and read
 * again where there is no box:
 *
 *   {"product":"sekisho-facts","form":1,"version","host","made":"<time>",
 *    "answers":{"status":{"taken":"<time>","answer":{...}} or {"taken":"<time>","why":"..."},...},
 *    "events":[...]}
 *
 * `events` only where a period was asked for and kept. Answers are those of docs/json.md; beside
 * them `journal` (what `journal verify` says of a record folder), `model` (what the texts of the
 * policy in force say) and `platform` (what the product runs on, platform.c). The command line
 * gathers them (mgmt/cli/report/facts.h), and the pages do (mgmt/web/report.h). Pure.
 */
#ifndef SEKISHO_MGMT_REPORT_ANSWERS_H
#define SEKISHO_MGMT_REPORT_ANSWERS_H

#include "appliance/base/json.h"

#define FACTS_PRODUCT "sekisho-facts"
#define FACTS_FORM 1

/* Without answers yet: of this machine, now. The caller's; NULL without memory. */
json_t *facts_new(void);
/* Takes the answer, NULL = there is none, and `why` says why. */
void facts_put(json_t *facts, const char *name, json_t *answer, const char *why);

const json_t *facts_answer(const json_t *facts, const char *name); /* NULL: there is none */
const char *facts_taken(const json_t *facts, const char *name);	   /* "" = it was not asked */
const char *facts_why(const json_t *facts, const char *name);

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

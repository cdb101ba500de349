/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts that reports are made of: answers of the box, each with its time, or the reason why it
 * is missing. They are one JSON object, which can be stored, given to an auditor, and read without
 * the box:
 *
 *   {"product":"sekisho-facts","form":1,"version","host","made":"<time>",
 *    "answers":{"status":{"taken":"<time>","answer":{...}} or {"taken":"<time>","why":"..."},...},
 *    "events":[...]}
 *
 * `events` is there only if events of a period were stored. Answers are those of docs/json.md.
 * Further ones are `journal` (the result of `journal verify`), `model` (facts from the texts of the
 * policy in force) and `platform` (the operating system, see below). The command line collects the
 * facts by mgmt/cli/report/report.h, the pages by mgmt/web/report.h. Pure.
 */
#ifndef SEKISHO_MGMT_REPORT_ANSWERS_H
#define SEKISHO_MGMT_REPORT_ANSWERS_H

#include "appliance/base/json.h"

#define FACTS_PRODUCT "sekisho-facts"
#define FACTS_FORM 1

/* New facts without answers, about this machine at the present time. Owned by the caller; NULL
 * without memory. */
json_t *facts_new(void);
/* Adds an answer and takes its reference. NULL: there is no answer; `why` has the reason. */
void facts_put(json_t *facts, const char *name, json_t *answer, const char *why);

const json_t *facts_answer(const json_t *facts, const char *name); /* NULL: there is none */
/* "" = the question was not asked */
const char *facts_taken(const json_t *facts, const char *name);
const char *facts_why(const json_t *facts, const char *name);

/*
 * The operating system, and until when its maker supports it: from os-release(5) and Debian's list
 * of its releases (package distro-info-data). Both files may be missing or invalid; unknown values
 * are "".
 */

/* not /etc/os-release: Debian has a link there */
#define PLATFORM_OS_RELEASE "/usr/lib/os-release"
#define PLATFORM_RELEASES "/usr/share/distro-info/debian.csv"
/* The login at the console of an image, and the folder that has its second factor. */
#define PLATFORM_CONSOLE "/usr/lib/sekisho/console"
#define PLATFORM_PRIVATE "/state/private"

/*
 * {"name","release","kernel","security_until":"YYYY-MM-DD","lts_until":"YYYY-MM-DD","console"}, a
 * new reference; NULL without memory. `kernel` is the running one. `console`: "factor",
 * "passphrase" or "unread" on an image, else "".
 */
json_t *platform_of(const char *os_release, const char *releases, const char *console, const char *private);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report of clauses (mgmt/report/clauses.h) for somebody at the pages: which questions it takes,
 * one after the other, and its text. What he may not read, and what only a process at the machine
 * reads (the folder of records, the texts of the policy), it says it could not read. Whoever asks
 * the box is decide.c.
 */
#ifndef SEKISHO_MGMT_WEB_REPORT_H
#define SEKISHO_MGMT_WEB_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"
#include "mgmt/web/api/target.h"

struct web_report;

/*
 * As the route's `ask` has found it to be right. `rights`: words of what he may, NULL = all but the
 * register of accounts. `platform`: what the box runs on (platform_of), read before the sandbox;
 * both are borrowed during the call. NULL without memory.
 */
struct web_report *web_report_new(const struct target *t, const json_t *rights, json_t *platform);
/* Fills the next question; false: there is none any more. */
bool web_report_next(struct web_report *r, struct msg_body *ret);
/* The answer to it; takes `fd`, -1 = none came along. */
void web_report_heard(struct web_report *r, int status, int fd);
/* The text behind the last answer, the caller's to free(); NULL while something is still to be
 * asked, and without memory. *ret_type is static. */
char *web_report_text(const struct web_report *r, const char **ret_type, size_t *ret_n);
void web_report_free(struct web_report *r); /* accepts NULL */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report of clauses (mgmt/report/clauses.h) for a person at the pages: its questions, one after
 * the other, and its text. Data that the person may not read, or that only a process on the machine
 * can read (the folder of records, the texts of the policy), is marked as not read. decide.c sends
 * the questions.
 */
#ifndef SEKISHO_MGMT_WEB_REPORT_H
#define SEKISHO_MGMT_WEB_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"
#include "mgmt/web/api/target.h"

/* The words of a person's rights as bits: bit n is enum right n. */
uint32_t web_report_rights(const json_t *words);

struct web_report;

/*
 * Begins a report. `t`: the target, which the route's `ask` has accepted. `rights`: words of the
 * person's rights, NULL = all except the register of accounts. `platform`: the operating system
 * (platform_of), read before the sandbox. Both are only borrowed during the call. NULL without
 * memory.
 */
struct web_report *web_report_new(const struct target *t, const json_t *rights, json_t *platform);
/* Fills in the next question; false: there is no further one. */
bool web_report_next(struct web_report *r, struct msg_body *ret);
/* Takes the answer, and takes over `fd`; -1 = there is none. */
void web_report_heard(struct web_report *r, int status, int fd);
/* The text after the last answer, which the caller frees; NULL while a question is left, and
 * without memory. *ret_type is static. */
char *web_report_text(const struct web_report *r, const char **ret_type, size_t *ret_n);
void web_report_free(struct web_report *r); /* accepts NULL */

#endif

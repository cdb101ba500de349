/* SPDX-License-Identifier: Apache-2.0 */
/* The report of an incident that the one that is made follows: which number this one has, what it takes over, and what has changed since. */
#ifndef SEKISHO_MGMT_CLI_REPORT_FORMER_H
#define SEKISHO_MGMT_CLI_REPORT_FORMER_H

#include "mgmt/cli/report/page.h"
#include "mgmt/state/read.h"

struct former {
	json_t *report; /* owned; NULL: there is none, and this is the first one */
	char sha256[65];
};

/* `file`: as `report incident --json` printed it; NULL: none. A CLI status, after saying what is wrong. */
int former_read(struct cli *c, const char *file, struct former *ret);
void former_free(struct former *f);
/* Of the report that is made: 1, or the former's and one. */
unsigned long long former_number(const struct former *f);
/* What somebody gave, or what stands in the former one; NULL: neither. */
const char *former_value(const struct former *f, const char *key, const char *given);

/*
 * {"records":[then,now],"refusals":[then,now],"parties":[...new ones],"indicators":[...new ones],"box":N,"people":N}, of the data of the report that is made; the
 * caller's. JSON null for a first one.
 */
json_t *former_changes(const struct former *f, const json_t *data);
void former_page(struct page *p, const struct former *f, const json_t *changes);
/* {"number","made","sha256"} of the former one, or JSON null; the caller's. */
json_t *former_json(const struct former *f);

#endif

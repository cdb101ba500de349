/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by reports about records: tables of single records with their sentences, and tables of
 * sums. */
#ifndef SEKISHO_MGMT_CLI_REPORT_TOLD_H
#define SEKISHO_MGMT_CLI_REPORT_TOLD_H

#include "mgmt/report/page.h"
#include "mgmt/state/read.h"

/* Whether a record is about traffic: packets or commands that passed, were refused or were
 * observed. */
bool told_traffic(const json_t *event);
/* "[2001:db8::1]:502" without its port. */
void told_host(const char *end, char out[64]);
/* A table with number, time and sentence of each event, and below it the number of further ones.
 * Without events, a sentence that there are none. */
void told_table(struct page *p, const json_t *events, unsigned long long more);
/* A table of rows {"verdict","reason","conduit","count","records","first","last"}. */
void told_refusals(struct page *p, const json_t *rows);
void told_cell_time(struct page *p, const char *when);
/* Writes the span as one text: "2026-10-01 ... to ...". */
void told_span(const char *from, const char *until, char *out, size_t size);
/* The row of told_refusals that this record belongs to, owned by the caller. `key`: the key of that
 * row. */
json_t *told_refusal(const json_t *event, char *key, size_t size);

#endif

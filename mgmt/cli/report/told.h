/* SPDX-License-Identifier: Apache-2.0 */
/* What reports of the records share: tables of single records with their sentences, and of sums. */
#ifndef SEKISHO_MGMT_CLI_REPORT_TOLD_H
#define SEKISHO_MGMT_CLI_REPORT_TOLD_H

#include "mgmt/report/page.h"
#include "mgmt/state/read.h"

/* Whether a record is of packets or commands that were let through, refused or watched. */
bool told_traffic(const json_t *event);
/* "[2001:db8::1]:502" without its port. */
void told_host(const char *end, char out[64]);
/* Number, time and sentence of each; below it how many more there are. Without any: that there
 * are none. */
void told_table(struct page *p, const json_t *events, unsigned long long more);
/* Rows of {"verdict","reason","conduit","count","records","first","last"}. */
void told_refusals(struct page *p, const json_t *rows);
void told_cell_time(struct page *p, const char *when);
/* "2026-10-01 ... to ..." into one cell or sentence. */
void told_span(const char *from, const char *until, char *out, size_t size);
/* A record from which a row of told_refusals is made; the caller's. `key`: what it is found by. */
json_t *told_refusal(const json_t *event, char *key, size_t size);

#endif

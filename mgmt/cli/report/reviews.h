/* SPDX-License-Identifier: Apache-2.0 */
/* Reviews of the records that are on record themselves: who looked through which span of time, and what he found. */
#ifndef SEKISHO_MGMT_CLI_REPORT_REVIEWS_H
#define SEKISHO_MGMT_CLI_REPORT_REVIEWS_H

#include "mgmt/cli/report/page.h"
#include "mgmt/cli/report/span.h"
#include "mgmt/state/read.h"

/* Takes an event in when it is a review of a time that meets the span. */
void reviews_take(json_t *list, const json_t *event, const struct span *s);
/* "all": each moment of the span lies in one of them, "partly", "no". */
const char *reviews_cover(const json_t *list, const struct span *s);
/* Puts the person's name to each, from the register; it may be gone from there. */
void reviews_name(json_t *list, const json_t *accounts);
void reviews_page(struct page *p, const json_t *list, const struct span *s);

#endif
